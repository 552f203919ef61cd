//! What spans and log records come in, in either format: resources, in these scopes, in these the items. How it is
//! read is in `json::envelope` and `protobuf::envelope`. Metrics are rejected by their points, so they are read in
//! their own way.

use console_model::Scope;

/// What a list is called: in lower camel case, and as in the `.proto` file.
type Name = [&'static str; 2];

/// What a signal's lists are called.
pub(crate) struct Names {
    pub resources: Name,
    pub scopes: Name,
    pub items: Name,
}

/// One resource's scopes that have items, with these.
pub(crate) type Scopes<T> = Vec<(Scope, Vec<T>)>;
