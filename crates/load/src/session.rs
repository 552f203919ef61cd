//! What one customer knows while on his way: his order, and what the service told about it.
//!
//! State only; requests are built from it by [`crate::prepare`].

use crate::{payload::Cents, planner::Action, prepare::Prepared};

/// How far an order has come, in the words of its JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) paid: bool,
    pub(crate) submitted: bool,
    pub(crate) completed: bool,
    pub(crate) canceled: bool,
}

/// What an answer tells its reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    /// The order that a command was about.
    pub(crate) order_id: Option<String>,
    /// The revision after a command, quoted as it came.
    pub(crate) etag: Option<String>,
    pub(crate) position: Option<String>,
    /// An order that a search found.
    pub(crate) found: Option<String>,
}

/// One customer's knowledge. Empty fields: not told yet.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) order_id: String,
    pub(crate) etag: Option<String>,
    pub(crate) created_etag: Option<String>,
    pub(crate) position: Option<String>,
    pub(crate) found: Option<String>,
    pub(crate) created_total: Cents,
    pub(crate) total: Cents,
    pub(crate) progress: Progress,
    pub(crate) create_key: Option<String>,
    pub(crate) last_command: Option<Prepared>,
}

impl Session {
    /// Takes in what the answer to a successful action told.
    pub(crate) fn learn(&mut self, action: &Action, learned: Learned) {
        match action {
            Action::Search(_) => {
                self.found = learned.found;
                return;
            }
            Action::Create(order) | Action::CreateTwice(order) => {
                self.created_total = order.cart.total();
                self.total = self.created_total;
                self.created_etag.clone_from(&learned.etag);
                if let Some(id) = learned.order_id {
                    self.order_id = id;
                }
            }
            Action::UpdateCart(cart) => self.total = cart.total(),
            Action::Pay { .. } => self.progress.paid = true,
            Action::Submit => self.progress.submitted = true,
            Action::Complete => self.progress.completed = true,
            Action::Cancel { .. } => self.progress.canceled = true,
            Action::ChangeAddress(_) => {}
            // A read may be behind and a replay tells the old: neither moves what is known.
            _ => return,
        }
        self.etag = learned.etag;
        self.position = learned.position;
    }
}
