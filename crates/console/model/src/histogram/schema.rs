//! What a bucket's index means: the bounds of exponential and custom buckets, and how indexes change when
//! the resolution is reduced. Source: Prometheus' specification of native histograms.

use std::sync::LazyLock;

/// The schema of custom buckets, whose bounds are listed.
pub const CUSTOM_SCHEMA: i8 = -53;
/// The coarsest exponential schema: each bucket's bound is 65,536 times the one before.
pub const SCHEMA_MIN: i8 = -4;
/// The finest exponential schema: 256 buckets between a power of two and the next.
pub const SCHEMA_MAX: i8 = 8;

/// Powers of two between 1 (included) and 2 (not), in steps of the finest schema.
static STEPS: LazyLock<Vec<f64>> =
    LazyLock::new(|| (0..1 << SCHEMA_MAX).map(|step| (f64::from(step) / 256.0).exp2()).collect());

/// Whether a schema's bounds are powers of a base.
pub const fn is_exponential(schema: i8) -> bool {
    schema >= SCHEMA_MIN && schema <= SCHEMA_MAX
}

/// The upper bound of a positive bucket in an exponential schema: `2^(index * 2^-schema)`, the lower bound
/// of the next one. The last bucket below the overflow ends at the largest number instead of infinity.
pub(super) fn exponential_bound(schema: i8, index: i64) -> f64 {
    let schema = i32::from(schema.clamp(SCHEMA_MIN, SCHEMA_MAX));
    let (exponent, step) = if schema < 0 {
        (index << -schema, 0)
    } else {
        let mask = (1_i64 << schema) - 1;
        (index >> schema, (index & mask) << (i32::from(SCHEMA_MAX) - schema))
    };
    if exponent == 1024 && step == 0 {
        return f64::MAX;
    }
    let mantissa = usize::try_from(step).ok().and_then(|step| STEPS.get(step)).copied().unwrap_or(1.0);
    times_power_of_two(mantissa, exponent)
}

/// The bound of a custom bucket: beyond the listed ones infinity, before them its negative.
pub(super) fn custom_bound(bounds: &[f64], index: i64) -> f64 {
    match usize::try_from(index) {
        Ok(index) => bounds.get(index).copied().unwrap_or(f64::INFINITY),
        Err(_) => f64::NEG_INFINITY,
    }
}

/// The index of the bucket that holds this one after the resolution fell by `steps`.
pub(super) fn coarser_index(index: i32, steps: u32) -> i32 {
    // A bucket's name is its upper bound, which belongs to it: hence the one less and one more.
    let coarser = ((i64::from(index) - 1) >> steps.min(32)) + 1;
    i32::try_from(coarser).unwrap_or(i32::MAX)
}

/// `value * 2^exponent`, also where the power alone is no number.
fn times_power_of_two(mut value: f64, exponent: i64) -> f64 {
    let power = |exponent: i64| f64::from_bits(u64::try_from(exponent + 1023).unwrap_or(0) << 52);
    let mut exponent = exponent.clamp(-2200, 2200);
    while exponent > 1023 {
        value *= power(1023);
        exponent -= 1023;
    }
    while exponent < -1022 {
        value *= power(-1022);
        exponent += 1022;
    }
    value * power(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_powers_of_the_schemas_base() {
        assert_eq!(exponential_bound(0, 0), 1.0);
        assert_eq!(exponential_bound(0, 3), 8.0);
        assert_eq!(exponential_bound(0, -2), 0.25);
        assert_eq!(exponential_bound(-1, 1), 4.0);
        assert_eq!(exponential_bound(-4, 1), 65536.0);
        assert_eq!(exponential_bound(1, 1), 2.0_f64.sqrt());
        assert_eq!(exponential_bound(8, 256), 2.0);
        assert!((exponential_bound(3, -1) - 2.0_f64.powf(-0.125)).abs() < 1e-15);
    }

    #[test]
    fn the_last_bound_is_the_largest_number_and_then_infinity() {
        assert_eq!(exponential_bound(0, 1024), f64::MAX);
        assert_eq!(exponential_bound(0, 1025), f64::INFINITY);
        assert_eq!(exponential_bound(8, 1024 << 8), f64::MAX);
        assert_eq!(exponential_bound(-4, 64), f64::MAX);
        assert_eq!(exponential_bound(-4, i64::from(i32::MAX)), f64::INFINITY);
        assert_eq!(exponential_bound(8, i64::from(i32::MIN)), 0.0);
        assert_eq!(exponential_bound(0, -1074), f64::from_bits(1));
    }

    #[test]
    fn a_coarser_bucket_holds_those_that_end_at_or_below_its_bound() {
        let coarser: Vec<i32> = (-3..=5).map(|index| coarser_index(index, 1)).collect();
        assert_eq!(coarser, [-1, -1, 0, 0, 1, 1, 2, 2, 3]);
        assert_eq!(coarser_index(i32::MIN, 12), -524_288);
    }
}
