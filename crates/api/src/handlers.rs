//! The order routes: what a request becomes, and what its outcome becomes. Rules about orders are the
//! domain's.

pub(crate) mod commands;
pub(crate) mod history;
pub(crate) mod queries;

use crate::error::{Error, Kind};
use crate::{Orders, State};

/// The order routes exist only where there are orders; this keeps the handlers honest about it.
fn orders(state: &State) -> Result<&Orders, Error> {
    state.orders.as_ref().ok_or_else(|| Error::new(Kind::UnknownRoute, "this process does not serve orders"))
}

fn no_such_order() -> Error {
    Error::new(Kind::NotFound, "there is no order with this id")
}
