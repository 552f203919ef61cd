//! A histogram in one line, as Prometheus writes it, and numbers as Go writes them. Not the JSON of the HTTP
//! API.

use std::fmt::{self, Write};

use super::FloatHistogram;

/// Writes a number as Go's `%g` and `%v` do: the shortest digits that read back the same, with an exponent
/// below 1e-4 and from 1e6 on.
pub(super) struct GoFloat(pub(super) f64);

impl fmt::Display for GoFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value.is_nan() {
            return f.write_str("NaN");
        }
        if value.is_infinite() {
            return f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" });
        }
        let scientific = format!("{value:e}");
        let Some((digits, exponent)) = scientific.split_once('e') else { return f.write_str(&scientific) };
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if (-4..6).contains(&exponent) {
            return write!(f, "{value}");
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs())
    }
}

impl fmt::Display for FloatHistogram {
    /// `{count:4, sum:5, (0.5,1]:1, (1,2]:2, (2,4]:1}`: only buckets in which something was counted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", GoFloat(self.count), GoFloat(self.sum))?;
        for bucket in self.populated_buckets() {
            write!(f, ", {bucket}")?;
        }
        f.write_char('}')
    }
}
