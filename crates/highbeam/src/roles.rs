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

    /// The services that the process is.
    #[must_use]
    pub fn parts(self) -> Vec<Part> {
        match self {
            Self::Api => vec![Part::Api],
            Self::OrdersProjector => vec![Part::Orders],
            Self::SearchProjector => vec![Part::Search],
            Self::All => vec![Part::Api, Part::Orders, Part::Search],
        }
    }
}

/// What is one service in traces and logs, whether it shares a process with others or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Takes commands and answers queries.
    Api,
    /// Projects the order read model.
    Orders,
    /// Projects the order search.
    Search,
    /// The console, about itself.
    Console,
    /// The customers of the demo traffic.
    Customers,
}

impl Part {
    /// `service.name`.
    #[must_use]
    pub const fn service_name(self) -> &'static str {
        match self {
            Self::Api => "delivery-api",
            Self::Orders => "orders-projector",
            Self::Search => "search-projector",
            Self::Console => "highbeam-console",
            Self::Customers => "demo-customers",
        }
    }
}
