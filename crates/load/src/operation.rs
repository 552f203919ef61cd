//! What a single request does, as the report and `--slo` name it.
//!
//! Names only. Which request is sent when is [`crate::scenario`]'s.

use serde::Serialize;

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// One kind of request; latencies are kept for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operation {
            $($(#[$doc])* $variant,)*
        }

        impl Operation {
            /// Every operation, in the order of the report.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            /// The name in reports and `--slo` expressions. Stable.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

operations! {
    /// `POST /orders`.
    Create => "create",
    /// A command sent again with the same `Idempotency-Key`. Apart, since a replay is far cheaper
    /// than the command and would flatter its percentiles.
    Retry => "retry",
    /// `GET /orders/{id}`.
    Get => "get",
    /// `GET /orders/{id}?minPosition=`, which may wait for the read model.
    GetFresh => "get_fresh",
    /// `GET /orders/search`.
    Search => "search",
    /// `GET /orders`.
    List => "list",
    /// `PUT /orders/cart/{id}`.
    Cart => "cart",
    /// `PUT /orders/address/{id}`.
    Address => "address",
    /// `PUT /orders/pay/{id}`.
    Pay => "pay",
    /// `PUT /orders/submit/{id}`.
    Submit => "submit",
    /// `POST /orders/complete/{id}`.
    Complete => "complete",
    /// `POST /orders/cancel/{id}`.
    Cancel => "cancel",
    /// `GET /orders/{id}/events` and `GET /orders/{id}?asOfRevision=`.
    History => "history",
    /// Any request that is wrong on purpose; its 4xx is the expected outcome.
    Invalid => "invalid",
}

impl std::fmt::Display for Operation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_indexes_dense() {
        let names: std::collections::BTreeSet<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index);
            assert_eq!(serde_json::to_value(operation).unwrap(), serde_json::Value::from(operation.name()));
        }
    }
}
