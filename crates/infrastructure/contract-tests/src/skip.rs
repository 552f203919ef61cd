//! Lets the place of a suite say that its engine is not there, so that the case at hand is left out. An
//! engine that was named and does not answer is not skipped: that fails.

use std::cell::Cell;
use std::io::Write;
use std::sync::Once;

thread_local! {
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Leaves out the case that asks for a place. The reason is told once, past the harness, which shows what
/// passing tests print to nobody.
pub fn want(reason: &str) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        // When even standard error is gone, nobody is there to be told.
        let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    });
    WANTED.set(true);
}

/// The place, unless the case is to be left out; asked once for each place.
#[must_use]
pub fn unless_wanted<P>(place: P) -> Option<P> {
    (!WANTED.take()).then_some(place)
}
