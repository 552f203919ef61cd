//! Which parts of the system a process runs.

use clap::ValueEnum;

/// A production role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Takes commands and answers queries.
    Api,
    /// Projects the order read model.
    OrdersProjector,
    /// Projects the order search.
    SearchProjector,
    /// All of them.
    All,
}

impl Role {
    /// Serves the order routes.
    #[must_use]
    pub const fn serves_orders(self) -> bool {
        matches!(self, Self::Api | Self::All)
    }

    /// Runs the projection of the order read model.
    #[must_use]
    pub const fn projects_orders(self) -> bool {
        matches!(self, Self::OrdersProjector | Self::All)
    }

    /// Runs the projection of the order search.
    #[must_use]
    pub const fn projects_search(self) -> bool {
        matches!(self, Self::SearchProjector | Self::All)
    }

    /// `service.name`.
    #[must_use]
    pub const fn service_name(self) -> &'static str {
        match self {
            Self::Api | Self::All => "delivery-api",
            Self::OrdersProjector => "orders-projector",
            Self::SearchProjector => "search-projector",
        }
    }
}
