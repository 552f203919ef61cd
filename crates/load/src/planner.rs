//! Draws, from a seed, what each customer is going to do: the steps of a journey with their content.
//!
//! Pure and endless: the same seed and mix give the same journeys. Nothing here knows HTTP or time;
//! what differs from run to run on purpose (trace ids, idempotency keys) is drawn in
//! [`crate::journey`], since a key that a former run used would only replay its answers.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::{
    catalogue,
    operation::Operation,
    payload::{Cart, NewOrder},
    scenario::{Mistake, Mix, Scenario},
};

/// One thing that a customer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Search(String),
    /// Looks at an order that the search found, or lists the newest where it found none.
    GetFound,
    Create(Box<NewOrder>),
    /// Sends the same create twice at once, with the same key.
    CreateTwice(Box<NewOrder>),
    /// Sends the last command again, with the same key.
    Repeat,
    UpdateCart(Cart),
    ChangeAddress(String),
    Pay {
        payment_id: String,
    },
    Submit,
    Complete,
    Cancel {
        reason: &'static str,
    },
    Get,
    /// Reads with `minPosition`, so that the last write must be seen.
    GetFresh,
    /// Reads with `If-None-Match`.
    GetUnchanged,
    /// Reads the order as it was when created.
    GetAsCreated,
    History,
    Invalid(Mistake, Box<NewOrder>),
}

impl Action {
    /// What the requests of this action count as, one for each request.
    pub(crate) const fn operations(&self) -> &'static [Operation] {
        match self {
            Self::Search(_) => &[Operation::Search],
            Self::GetFound | Self::Get | Self::GetUnchanged => &[Operation::Get],
            Self::Create(_) => &[Operation::Create],
            Self::CreateTwice(_) => &[Operation::Create, Operation::Retry],
            Self::Repeat => &[Operation::Retry],
            Self::UpdateCart(_) => &[Operation::Cart],
            Self::ChangeAddress(_) => &[Operation::Address],
            Self::Pay { .. } => &[Operation::Pay],
            Self::Submit => &[Operation::Submit],
            Self::Complete => &[Operation::Complete],
            Self::Cancel { .. } => &[Operation::Cancel],
            Self::GetFresh => &[Operation::GetFresh],
            Self::GetAsCreated | Self::History => &[Operation::History],
            Self::Invalid(..) => &[Operation::Invalid],
        }
    }
}

/// An action, and how long the customer thinks before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) think: Duration,
    pub(crate) action: Action,
}

/// What one customer is going to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Journey {
    pub(crate) scenario: Scenario,
    /// Whether every command carries an `Idempotency-Key`.
    pub(crate) keyed: bool,
    /// Whether commands carry `If-Match` with the revision last seen.
    pub(crate) guarded: bool,
    pub(crate) steps: Vec<Step>,
}

impl Journey {
    /// The requests that the journey sends where nothing goes wrong, by operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        self.steps.iter().flat_map(|step| step.action.operations().iter().copied())
    }

    pub(crate) fn requests(&self) -> u64 {
        self.steps.iter().map(|step| step.action.operations().len() as u64).sum()
    }
}

/// The endless source of journeys.
#[derive(Debug, Clone)]
pub(crate) struct Planner {
    random: Xoshiro256PlusPlus,
    mix: Mix,
    think_max: Duration,
}

impl Planner {
    /// `think_max` bounds the pause before each step but the first, and before a read that is meant
    /// to come straight after a write.
    pub(crate) fn new(seed: u64, mix: Mix, think_max: Duration) -> Self {
        Self { random: Xoshiro256PlusPlus::seed_from_u64(seed), mix, think_max }
    }

    /// The next customer.
    pub(crate) fn next(&mut self) -> Journey {
        let scenario = self.mix.draw(&mut self.random);
        let actions = match scenario {
            Scenario::Browse => self.browse(),
            Scenario::Order => self.order(),
            Scenario::Abandon => self.abandon(),
            Scenario::Cancel => self.cancel(),
            Scenario::Impatient => self.impatient(),
            Scenario::ReadBack => self.read_back(),
            Scenario::History => self.history(),
            Scenario::Mistake => self.mistake(),
        };
        Journey {
            scenario,
            keyed: matches!(scenario, Scenario::Impatient | Scenario::Mistake) || self.random.random_bool(0.5),
            guarded: scenario == Scenario::Order && self.random.random_bool(0.3),
            steps: self.paced(actions),
        }
    }

    fn paced(&mut self, actions: Vec<Action>) -> Vec<Step> {
        let think_ms_max = u64::try_from(self.think_max.as_millis()).unwrap_or(u64::MAX);
        let mut steps = Vec::with_capacity(actions.len());
        for action in actions {
            let at_once = steps.is_empty() || matches!(action, Action::Get | Action::GetFresh | Action::Repeat);
            let think_ms = if at_once { 0 } else { self.random.random_range(0..=think_ms_max) };
            steps.push(Step { think: Duration::from_millis(think_ms), action });
        }
        steps
    }

    fn new_order(&mut self) -> Box<NewOrder> {
        Box::new(NewOrder::draw(&mut self.random))
    }

    fn create(&mut self) -> Action {
        Action::Create(self.new_order())
    }

    fn pay(&mut self) -> Action {
        let number: u64 = self.random.random();
        Action::Pay { payment_id: format!("pay-{number:016x}") }
    }

    fn change_address(&mut self) -> Action {
        Action::ChangeAddress(catalogue::address(&mut self.random))
    }

    fn update_cart(&mut self) -> Action {
        Action::UpdateCart(Cart::draw(&mut self.random))
    }

    fn call_off(&mut self) -> Action {
        Action::Cancel { reason: catalogue::cancel_reason(&mut self.random) }
    }

    fn search(&mut self) -> Action {
        Action::Search(catalogue::search_phrase(&mut self.random))
    }

    fn browse(&mut self) -> Vec<Action> {
        let mut actions = vec![self.search()];
        if self.random.random_bool(0.5) {
            actions.push(self.search());
        }
        actions.push(Action::GetFound);
        actions
    }

    fn order(&mut self) -> Vec<Action> {
        let mut actions = vec![self.create()];
        if self.random.random_bool(0.4) {
            actions.push(self.update_cart());
        }
        if self.random.random_bool(0.25) {
            actions.push(self.change_address());
        }
        actions.push(self.pay());
        actions.push(Action::Submit);
        if self.random.random_bool(0.2) {
            actions.push(Action::Get);
        }
        actions.push(Action::Complete);
        actions
    }

    fn abandon(&mut self) -> Vec<Action> {
        let mut actions = vec![self.create()];
        if self.random.random_bool(0.5) {
            actions.push(self.update_cart());
        }
        actions
    }

    fn cancel(&mut self) -> Vec<Action> {
        let mut actions = vec![self.create(), self.pay()];
        if self.random.random_bool(0.3) {
            actions.push(Action::Submit);
        }
        actions.push(self.call_off());
        actions
    }

    fn impatient(&mut self) -> Vec<Action> {
        let mut actions = if self.random.random_bool(0.5) {
            vec![Action::CreateTwice(self.new_order())]
        } else {
            vec![self.create(), Action::Repeat]
        };
        actions.push(self.pay());
        actions.push(Action::Repeat);
        actions
    }

    fn read_back(&mut self) -> Vec<Action> {
        let mut actions = vec![self.create(), Action::Get];
        if self.random.random_bool(0.5) {
            actions.push(self.update_cart());
            actions.push(Action::GetFresh);
        }
        actions.push(self.pay());
        actions.push(Action::GetFresh);
        actions
    }

    fn history(&mut self) -> Vec<Action> {
        vec![self.create(), self.change_address(), Action::History, Action::GetAsCreated, Action::GetUnchanged]
    }

    fn mistake(&mut self) -> Vec<Action> {
        let mistake = catalogue::pick(&mut self.random, &Mistake::ALL);
        let invalid = Action::Invalid(mistake, self.new_order());
        if mistake.needs_order() { vec![self.create(), invalid] } else { vec![invalid] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planner(seed: u64, mix: Mix) -> Planner {
        Planner::new(seed, mix, Duration::ZERO)
    }

    #[test]
    fn the_same_seed_gives_the_same_customers() {
        let draw = |seed| {
            let mut planner = planner(seed, Mix::default());
            (0..200).map(|_| planner.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }

    #[test]
    fn every_scenario_and_every_operation_comes() {
        let mut planner = planner(1, Mix::default());
        let mut operations = std::collections::BTreeSet::new();
        let mut scenarios = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let journey = planner.next();
            scenarios.insert(journey.scenario);
            operations.extend(journey.operations());
        }
        assert_eq!(scenarios.len(), Scenario::ALL.len());
        // `list` is what a customer falls back to where a search finds nothing.
        assert_eq!(operations.len(), Operation::ALL.len() - 1);
    }

    /// Walks the state machine of the contract: no journey asks for what it would refuse, but for
    /// the mistakes.
    #[test]
    fn journeys_keep_to_the_states_of_the_contract() {
        let mut planner = planner(2, Mix::default());
        for _ in 0..2_000 {
            let mut state = "none";
            for step in planner.next().steps {
                state = match (&step.action, state) {
                    (Action::Create(_) | Action::CreateTwice(_), "none") => "draft",
                    (Action::Search(_) | Action::GetFound, "none") => "none",
                    (Action::Invalid(mistake, _), state) if mistake.needs_order() == (state == "draft") => state,
                    (Action::UpdateCart(_), "draft") => "draft",
                    (Action::ChangeAddress(_), "draft" | "paid" | "submitted") => state,
                    (Action::Pay { .. }, "draft") => "paid",
                    (Action::Submit, "paid") => "submitted",
                    (Action::Complete, "submitted") => "completed",
                    (Action::Cancel { .. }, "draft" | "paid" | "submitted") => "canceled",
                    (
                        Action::Repeat
                        | Action::Get
                        | Action::GetFresh
                        | Action::GetUnchanged
                        | Action::GetAsCreated
                        | Action::History,
                        "draft" | "paid" | "submitted" | "completed",
                    ) => state,
                    (action, state) => panic!("{action:?} in {state}"),
                };
            }
        }
    }

    #[test]
    fn thinking_is_bounded_and_a_read_back_does_not_wait() {
        let mut planner = Planner::new(9, Mix::only(Scenario::ReadBack), Duration::from_millis(40));
        let mut thought = Duration::ZERO;
        for _ in 0..50 {
            for step in planner.next().steps {
                assert!(step.think <= Duration::from_millis(40));
                if matches!(step.action, Action::Get | Action::GetFresh) {
                    assert_eq!(step.think, Duration::ZERO);
                }
                thought += step.think;
            }
        }
        assert!(thought > Duration::ZERO);
    }
}
