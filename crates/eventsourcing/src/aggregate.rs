//! The shape of an event-sourced aggregate: two pure functions over a state.
//!
//! Loading, saving and retrying are the business of services, not of this trait.

/// A consistency boundary whose state is the fold of its events.
///
/// Both functions MUST be pure: no clock, no randomness, no I/O. What they need from the outside
/// (the time, a new id) arrives inside the command.
pub trait Aggregate {
    /// What the events fold into. `Default` is the state before the first event.
    type State: Default;
    /// What may be asked for. Holds validated values only.
    type Command;
    /// What has happened.
    type Event;
    /// Why a command is refused.
    type Rejection;

    /// Decides which events a command leads to, or why it is refused.
    ///
    /// An accepted command MUST lead to at least one event.
    fn decide(state: &Self::State, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// Applies one event. MUST be total over any history that [`Aggregate::decide`] can produce.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;

    /// Folds a whole history, oldest first.
    fn fold<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self::State
    where
        Self::Event: 'a,
    {
        events.into_iter().fold(Self::State::default(), Self::evolve)
    }
}
