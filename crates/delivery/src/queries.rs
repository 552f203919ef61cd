//! What may be asked about orders.

use eventsourcing::Position;

use crate::aggregate::Status;
use crate::projections::OrderView;

/// A page of orders, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOrders {
    /// Only orders that stand here.
    pub status: Option<Status>,
    /// Only orders older than this one: the `created_position` of the last order of the page before.
    pub before: Option<Position>,
    /// Orders at most.
    pub limit: usize,
}

/// A numbered page of the orders that match a text, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchOrders {
    /// Words that have to follow each other in the title or in the description of one item, the last
    /// one possibly only begun. Case and punctuation do not count. Without any word, every order
    /// matches.
    pub text: String,
    /// Counted from 1.
    pub page: u64,
    /// Orders on a page.
    pub size: u64,
}

/// The answer to [`SearchOrders`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// Orders that match, on all pages.
    pub total_count: u64,
    /// The orders of this page.
    pub orders: Vec<OrderView>,
}
