//! The event-sourcing kernel: what an aggregate is, what a recorded event is, and the ports through
//! which events are stored and followed.
//!
//! It knows no domain (`delivery` is one), no engine (`infrastructure/*` are) and no runtime: nothing
//! here starts a thread, opens a socket or reads the wall clock.

pub mod aggregate;
mod causes;
pub mod clock;
pub mod event;
pub mod metadata;
pub mod store;
pub mod stream;

pub use aggregate::Aggregate;
pub use causes::with_causes;
pub use clock::Clock;
pub use event::{EventId, NewEvent, RecordedEvent, TraceHeaders};
pub use metadata::Metadata;
pub use store::{Appended, EventStore, Subscription};
pub use stream::{ExpectedRevision, Position, Revision, StreamId};
