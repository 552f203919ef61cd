//! The kinds of customers, how often each comes, and the mistakes that some of them make.
//!
//! Names and weights. The steps of a customer are drawn by [`crate::planner`].

use std::{collections::BTreeMap, str::FromStr};

use rand::{Rng, RngExt};
use serde::{Serialize, Serializer};

macro_rules! scenarios {
    ($($(#[$doc:meta])* $variant:ident => $name:literal, $weight:literal;)*) => {
        /// A kind of customer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scenario {
            $($(#[$doc])* $variant,)*
        }

        impl Scenario {
            /// Every scenario, in the order of the report.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            /// The name in `--mix` and in reports. Stable.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            const fn default_weight(self) -> u32 {
                match self {
                    $(Self::$variant => $weight,)*
                }
            }
        }
    };
}

scenarios! {
    /// Searches, and looks at what was found.
    Browse => "browse", 30;
    /// Orders, maybe corrects cart or address, pays, submits, and receives.
    Order => "order", 30;
    /// Orders and never pays.
    Abandon => "abandon", 10;
    /// Pays and then cancels.
    Cancel => "cancel", 8;
    /// Sends commands again with the same `Idempotency-Key`, after or beside the first.
    Impatient => "impatient", 6;
    /// Reads straight after writing, plainly and with `minPosition`.
    ReadBack => "read_back", 8;
    /// Reads the history of an order, and the order as it was.
    History => "history", 5;
    /// Sends what the contract refuses, and expects the very refusal.
    Mistake => "mistake", 3;
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How often each scenario comes, relative to the others. Never empty, never all zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Mix(BTreeMap<Scenario, u32>);

impl Default for Mix {
    fn default() -> Self {
        Self(Scenario::ALL.into_iter().map(|scenario| (scenario, scenario.default_weight())).collect())
    }
}

impl Mix {
    /// Only this scenario.
    #[must_use]
    pub fn only(scenario: Scenario) -> Self {
        Self(BTreeMap::from([(scenario, 1)]))
    }

    pub(crate) fn draw(&self, random: &mut impl Rng) -> Scenario {
        let total: u64 = self.0.values().map(|weight| u64::from(*weight)).sum();
        let mut left = random.random_range(0..total.max(1));
        for (scenario, weight) in &self.0 {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *scenario,
            }
        }
        Scenario::Browse
    }
}

/// Why a text is no [`Mix`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a scenario mix: {fault}; right would be: browse=40,order=50,mistake=10 (scenarios: {})",
    Scenario::ALL.map(Scenario::name).join(", ")
)]
pub struct MixError {
    text: String,
    fault: String,
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |fault: String| MixError { text: text.to_owned(), fault };
        let mut weights = BTreeMap::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let scenario = Scenario::ALL
                .into_iter()
                .find(|scenario| scenario.name() == name.trim())
                .ok_or_else(|| wrong(format!("there is no scenario '{}'", name.trim())))?;
            let weight: u32 = weight
                .trim()
                .parse()
                .map_err(|_| wrong(format!("the weight '{}' is not a whole number", weight.trim())))?;
            if weights.insert(scenario, weight).is_some() {
                return Err(wrong(format!("'{scenario}' is given twice")));
            }
        }
        if weights.values().all(|weight| *weight == 0) {
            return Err(wrong("all weights are zero".to_owned()));
        }
        Ok(Self(weights))
    }
}

macro_rules! mistakes {
    ($($(#[$doc:meta])* $variant:ident => $status:literal,)*) => {
        /// A request that the contract refuses.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Mistake {
            $($(#[$doc])* $variant,)*
        }

        impl Mistake {
            pub(crate) const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            /// The status that the contract's error table gives for it.
            pub(crate) const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }
        }
    };
}

mistakes! {
    MalformedJson => 400,
    BadId => 400,
    NegativePage => 400,
    UnknownOrder => 404,
    UnknownRoute => 404,
    WrongMethod => 405,
    /// Needs an order in Draft.
    SubmitUnpaid => 409,
    /// Needs an order in Draft.
    StaleRevision => 412,
    WrongContentType => 415,
    NoItems => 422,
    BadEmail => 422,
    QuantityZero => 422,
    ThreeDecimals => 422,
    /// Needs an order that was created with a key.
    KeyReused => 422,
}

impl Mistake {
    /// Whether the customer must have an order first.
    pub(crate) const fn needs_order(self) -> bool {
        matches!(self, Self::SubmitUnpaid | Self::StaleRevision | Self::KeyReused)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    #[test]
    fn the_mix_is_drawn_by_weight() {
        let mix: Mix = "browse=1,order=3,cancel=0".parse().unwrap();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let drawn: Vec<_> = (0..4_000).map(|_| mix.draw(&mut random)).collect();
        let orders = drawn.iter().filter(|scenario| **scenario == Scenario::Order).count();
        assert!((2_800..3_200).contains(&orders), "{orders}");
        assert!(!drawn.contains(&Scenario::Cancel));
    }

    #[test]
    fn a_wrong_mix_is_explained_with_a_right_one() {
        for (text, fault) in [
            ("", "there is no scenario ''"),
            ("buy=1", "there is no scenario 'buy'"),
            ("browse=x", "the weight 'x' is not a whole number"),
            ("browse=1,browse=2", "'browse' is given twice"),
            ("browse=0", "all weights are zero"),
        ] {
            let message = text.parse::<Mix>().unwrap_err().to_string();
            assert!(message.contains(fault) && message.contains("right would be"), "{message}");
        }
        assert_eq!("order".parse(), Ok(Mix::only(Scenario::Order)));
    }
}
