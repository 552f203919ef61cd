//! Writes JSON as it goes into one buffer, which has a bound, so that an answer is never built twice. Numbers are
//! as Prometheus writes them. What an answer says is not known here.

use std::io::Write;

use console_model::Labels;

use super::answer::Refusal;

/// Bytes of one answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// JSON that is being written.
#[derive(Debug, Default)]
pub(super) struct Json {
    out: Vec<u8>,
}

/// Between two values of an array or object.
#[derive(Debug, Default)]
pub(super) struct Comma(bool);

impl Comma {
    /// Writes a comma, but for the first time.
    pub(super) fn between(&mut self, json: &mut Json) {
        if std::mem::replace(&mut self.0, true) {
            json.out.push(b',');
        }
    }
}

impl Json {
    /// What was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Whether there is room for more. To be asked once for every series and every thousand points or so.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.out.len() <= ANSWER_BYTES_MAX {
            return Ok(());
        }
        Err(Refusal::execution(format!(
            "the answer has more than {ANSWER_BYTES_MAX} bytes; ask for less of it, as in a larger step, a shorter time \
             or limit=1000"
        )))
    }

    /// Writes what is JSON already.
    pub(super) fn raw(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Writes a text.
    pub(super) fn text(&mut self, text: &str) {
        self.out.push(b'"');
        let bytes = text.as_bytes();
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte >= b' ' && *byte != b'"' && *byte != b'\\' {
                continue;
            }
            self.out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
            from = at + 1;
            match byte {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                b'\r' => self.raw("\\r"),
                b'\t' => self.raw("\\t"),
                other => self.formatted(format_args!("\\u{other:04x}")),
            }
        }
        self.out.extend_from_slice(bytes.get(from..).unwrap_or_default());
        self.out.push(b'"');
    }

    /// Writes a key, and the colon after it.
    pub(super) fn key(&mut self, key: &str) {
        self.text(key);
        self.out.push(b':');
    }

    /// Writes a whole number.
    pub(super) fn integer(&mut self, number: i64) {
        if number < 0 {
            self.out.push(b'-');
        }
        self.digits(number.unsigned_abs());
    }

    /// Writes a count of things.
    pub(super) fn count(&mut self, number: usize) {
        self.digits(number as u64);
    }

    /// Half of what an answer consists of: without the machinery of formatting.
    fn digits(&mut self, mut number: u64) {
        let mut digits = [0_u8; 20];
        let mut length = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            length += 1;
            if number == 0 {
                break;
            }
        }
        self.out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
    }

    /// Writes texts as an array.
    pub(super) fn texts<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        self.raw("[");
        let mut comma = Comma::default();
        for text in texts {
            comma.between(self);
            self.text(text.as_ref());
        }
        self.raw("]");
    }

    /// Writes labels as an object.
    pub(super) fn labels(&mut self, labels: &Labels) {
        self.raw("{");
        let mut comma = Comma::default();
        for (name, value) in labels.iter() {
            comma.between(self);
            self.key(name);
            self.text(value);
        }
        self.raw("}");
    }

    /// Writes a time as seconds, with three digits after the point where it is no whole second.
    pub(super) fn time(&mut self, time_ms: i64) {
        if time_ms < 0 {
            self.out.push(b'-');
        }
        let time_ms = time_ms.unsigned_abs();
        self.digits(time_ms / 1_000);
        if !time_ms.is_multiple_of(1_000) {
            self.formatted(format_args!(".{:03}", time_ms % 1_000));
        }
    }

    /// Writes the value of a sample, which is a text.
    pub(super) fn value(&mut self, value: f64) {
        self.out.push(b'"');
        self.float(value);
        self.out.push(b'"');
    }

    /// Writes a number as Go's JSON does: with an exponent where it is very small or very large.
    pub(super) fn float(&mut self, value: f64) {
        let size = value.abs();
        if !value.is_finite() {
            return self.raw(not_finite(value));
        }
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = format!("{value:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            return self.formatted(format_args!("{digits}e{sign}{exponent:0>2}"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and fits")]
        if size < 1e15 && value.fract() == 0.0 && (size != 0.0 || value.is_sign_positive()) {
            return self.integer(value as i64);
        }
        self.formatted(format_args!("{value}"));
    }

    fn formatted(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = self.out.write_fmt(arguments);
    }
}

/// Go's words for what is no finite number.
fn not_finite(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "+Inf",
        _ => "-Inf",
    }
}

/// A number in full, without an exponent, as in the text of a query.
pub(super) fn plain(value: f64) -> String {
    if value.is_finite() { format!("{value}") } else { not_finite(value).to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        write(&mut json);
        String::from_utf8(json.finish()).unwrap()
    }

    #[test]
    fn values_are_those_of_go() {
        for (value, expected) in [
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-07"),
            (5e-324, "5e-324"),
            (1e21, "1e+21"),
            (999_999_999_999_999_900_000.0, "999999999999999900000"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(written(|json| json.float(value)), expected);
        }
        assert_eq!(
            (plain(1e-7).as_str(), plain(-1_500.0).as_str(), plain(f64::NAN).as_str()),
            ("0.0000001", "-1500", "NaN")
        );
    }

    #[test]
    fn times_have_three_digits_or_none() {
        for (time_ms, expected) in [
            (1_700_000_000_000, "1700000000"),
            (1_500, "1.500"),
            (5, "0.005"),
            (-500, "-0.500"),
            (-1_500, "-1.500"),
            (-1_000, "-1"),
        ] {
            assert_eq!(written(|json| json.time(time_ms)), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_and_any_number_come_back(text in any::<String>(), value in any::<f64>()) {
            let parsed: String = serde_json::from_str(&written(|json| json.text(&text))).unwrap();
            prop_assert_eq!(parsed, text);
            let number = written(|json| json.float(value)).replace("Inf", "inf");
            let back: f64 = number.parse().unwrap();
            prop_assert!(back.to_bits() == value.to_bits() || value.is_nan());
        }

        #[test]
        fn whole_numbers_are_written_as_everybody_writes_them(number in any::<i64>()) {
            prop_assert_eq!(written(|json| json.integer(number)), number.to_string());
        }
    }
}
