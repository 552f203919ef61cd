//! Which traces are kept: OpenTelemetry's standard samplers, decided once where a trace begins here and
//! changeable while the process runs.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::trace::{TraceContext, TraceId};

/// What becomes of traces that begin here.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Root {
    All,
    None,
    /// The share that is kept, and the same as a bound of the trace id's lower 63 bits.
    Ratio {
        share: f64,
        below: u64,
    },
}

/// A sampler, as `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    root: Root,
    /// A caller's decision is followed.
    is_parent_based: bool,
}

/// The names that [`Sampler::parse`] knows.
pub const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Why a sampler cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No sampler has this name.
    #[error("must be one of {}", SAMPLERS.join(", "))]
    Name,
    /// The argument is no share.
    #[error("must be a number from 0 to 1")]
    Argument,
}

impl Default for Sampler {
    /// The standard's default: all, unless the caller decided otherwise.
    fn default() -> Self {
        Self { root: Root::All, is_parent_based: true }
    }
}

impl Sampler {
    /// Reads a sampler by its standard name; `argument` is the share that ratio samplers keep, 1 unless
    /// given.
    ///
    /// # Errors
    /// Unknown names, and shares that are none.
    pub fn parse(name: &str, argument: Option<&str>) -> Result<Self, Error> {
        let (is_parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let root = match root {
            "always_on" => Root::All,
            "always_off" => Root::None,
            "traceidratio" => Root::ratio(argument)?,
            _ => return Err(Error::Name),
        };
        Ok(Self { root, is_parent_based })
    }

    /// The standard name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (self.is_parent_based, self.root) {
            (false, Root::All) => "always_on",
            (false, Root::None) => "always_off",
            (false, Root::Ratio { .. }) => "traceidratio",
            (true, Root::All) => "parentbased_always_on",
            (true, Root::None) => "parentbased_always_off",
            (true, Root::Ratio { .. }) => "parentbased_traceidratio",
        }
    }

    /// The share of a ratio sampler.
    #[must_use]
    pub const fn argument(&self) -> Option<f64> {
        match self.root {
            Root::Ratio { share, .. } => Some(share),
            Root::All | Root::None => None,
        }
    }

    /// Whether a trace is kept, of which this is the first span here.
    #[must_use]
    pub fn keeps(&self, trace: TraceId, caller: Option<&TraceContext>) -> bool {
        match caller {
            Some(caller) if self.is_parent_based => caller.is_sampled(),
            _ => match self.root {
                Root::All => true,
                Root::None => false,
                // The lower half of the id, since its upper half need not be random; without its last
                // bit, as the other SDKs do it, so that all come to the same decision.
                #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
                Root::Ratio { below, .. } => (trace.0 as u64) >> 1 < below,
            },
        }
    }
}

impl Root {
    fn ratio(argument: Option<&str>) -> Result<Self, Error> {
        let share: f64 = argument.map_or(Ok(1.0), |text| text.trim().parse().map_err(|_| Error::Argument))?;
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::Argument);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^63, as checked")]
        let below = (share * (1_u64 << 63) as f64) as u64;
        Ok(Self::Ratio { share, below })
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument() {
            Some(share) => write!(f, "{}({share})", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// The sampler in force.
#[derive(Debug, Default)]
pub struct Current(RwLock<Sampler>);

impl Current {
    /// Begins with this one.
    #[must_use]
    pub const fn new(sampler: Sampler) -> Self {
        Self(RwLock::new(sampler))
    }

    /// What is in force.
    #[must_use]
    pub fn get(&self) -> Sampler {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on; traces that have begun go on as they did.
    pub fn set(&self, sampler: Sampler) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sampler;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_and_told() {
        for name in SAMPLERS {
            assert_eq!(Sampler::parse(name, Some("0.5")).map(|sampler| sampler.name()), Ok(name));
        }
        assert_eq!(Sampler::parse("sometimes", None), Err(Error::Name));
        for argument in ["", "-0.1", "1.1", "NaN", "half"] {
            assert_eq!(Sampler::parse("traceidratio", Some(argument)), Err(Error::Argument), "{argument}");
        }
        assert_eq!(Sampler::default().to_string(), "parentbased_always_on");
        assert_eq!(Sampler::parse("traceidratio", Some("0.25")).map(|s| s.to_string()).unwrap(), "traceidratio(0.25)");
    }

    #[test]
    fn a_caller_decides_only_where_it_may() {
        let (kept, not) = (TraceContext::root(true), TraceContext::root(false));
        let keeps = |name, caller| Sampler::parse(name, Some("0")).unwrap().keeps(kept.trace_id(), caller);
        assert!(keeps("parentbased_always_off", Some(&kept)));
        assert!(!keeps("parentbased_always_on", Some(&not)));
        assert!(!keeps("always_off", Some(&kept)));
        assert!(keeps("always_on", Some(&not)));
        assert!(keeps("parentbased_traceidratio", Some(&kept)));
        assert!(!keeps("traceidratio", Some(&kept)));
    }

    #[test]
    fn a_share_is_kept_and_always_the_same() {
        let tenth = Sampler::parse("traceidratio", Some("0.1")).unwrap();
        let more = Sampler::parse("traceidratio", Some("0.2")).unwrap();
        let traces: Vec<_> = (0..100_000).map(|_| TraceContext::root(true).trace_id()).collect();
        let kept = traces.iter().filter(|trace| tenth.keeps(**trace, None)).count();
        assert!((9_000..11_000).contains(&kept), "{kept} of 100,000");
        assert!(traces.iter().all(|trace| !tenth.keeps(*trace, None) || more.keeps(*trace, None)));
        let all = Sampler::parse("traceidratio", None).unwrap();
        assert!(all.keeps(TraceId(u128::MAX), None) && all.keeps(TraceId(1), None));
        // The bound is that of the other SDKs: 2^63 times the share, against the id without its last bit.
        let half = Sampler::parse("traceidratio", Some("0.5")).unwrap();
        assert!(half.keeps(TraceId((1 << 63) - 1), None) && !half.keeps(TraceId(1 << 63), None));
    }
}
