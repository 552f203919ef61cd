//! The console's own page API: what its pages read, as JSON. How telemetry is kept, and the APIs that other
//! tools speak, do not belong here.

mod document;
pub mod wire;

pub use document::openapi;
