//! Who sent it: the resource, and the instrumentation scope below it. Shared by all records of a group.

use crate::{Attributes, Text};

/// The name that OpenTelemetry gives to a service that did not say its own.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// An OpenTelemetry resource, with the schema URL that it came under.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// What is known of the sender.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// The schema URL of the group; empty if none.
    pub schema_url: Text,
}

impl Resource {
    /// The value of `service.name`, else [`UNKNOWN_SERVICE`]. Retention is fair between these names.
    pub fn service(&self) -> &str {
        self.attributes.text("service.name").filter(|name| !name.is_empty()).unwrap_or(UNKNOWN_SERVICE)
    }
}

/// An OpenTelemetry instrumentation scope, with the schema URL that it came under.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The name of the instrumentation; empty if none.
    pub name: Text,
    /// Its version; empty if none.
    pub version: Text,
    /// What else is known of it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// The schema URL of the group; empty if none.
    pub schema_url: Text,
}
