//! Native histograms as text, for what OTLP's cannot hold: counts that are not whole, buckets far apart. As
//! `schema;zero threshold;zero count;count;sum;bounds;positive;negative`, lists with commas, buckets as
//! `index:count`.

use console_model::{Buckets, FloatHistogram};

/// Buckets side by side that are written, empty ones included.
pub(crate) const DENSE_MAX: usize = 16_384;
/// Up to here every whole number is one.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Whether OTLP holds all of it, but for empty buckets: whole counts, not too far apart, bounds for custom
/// buckets only.
pub(crate) fn is_plain(histogram: &FloatHistogram) -> bool {
    let is_whole = |count: f64| count.trunc() == count && (0.0..=WHOLE_MAX).contains(&count);
    let is_near = |buckets: &Buckets| buckets.is_empty() || side_by_side(buckets, DENSE_MAX).is_some();
    let buckets = [&histogram.positive, &histogram.negative];
    let counts = buckets.iter().flat_map(|buckets| buckets.counts().iter().copied());
    [histogram.count, histogram.zero_count].into_iter().chain(counts).all(is_whole)
        && (histogram.is_custom() || buckets.iter().all(|buckets| is_near(buckets)))
}

/// The first index, and the counts from there on without a gap; `None` if there are none or more than that.
pub(crate) fn side_by_side(buckets: &Buckets, most: usize) -> Option<(i32, Vec<f64>)> {
    let ((first, _), (last, _)) = (buckets.iter().next()?, buckets.iter_reversed().next()?);
    let length = usize::try_from(i64::from(last) - i64::from(first) + 1).ok().filter(|length| *length <= most)?;
    let mut counts = vec![0.0; length];
    for (index, count) in buckets.iter() {
        let place = usize::try_from(i64::from(index) - i64::from(first)).ok()?;
        *counts.get_mut(place)? = count;
    }
    Some((first, counts))
}

/// The text of a histogram.
pub(crate) fn write(histogram: &FloatHistogram) -> String {
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(",");
    let buckets = |buckets: &Buckets| list(&mut buckets.iter().map(|(index, count)| format!("{index}:{count:?}")));
    let FloatHistogram { schema, zero_threshold, zero_count, count, sum, .. } = histogram;
    let bounds = list(&mut histogram.custom_values.iter().map(|bound| format!("{bound:?}")));
    let (positive, negative) = (buckets(&histogram.positive), buckets(&histogram.negative));
    format!("{schema};{zero_threshold:?};{zero_count:?};{count:?};{sum:?};{bounds};{positive};{negative}")
}

/// The histogram of a text; `None` if it is none.
pub(crate) fn read(text: &str) -> Option<FloatHistogram> {
    let mut parts = text.split(';');
    let mut next = || parts.next();
    let schema = next()?.parse().ok()?;
    let mut number = || next()?.parse::<f64>().ok();
    let (zero_threshold, zero_count, count, sum) = (number()?, number()?, number()?, number()?);
    let bounds: Option<Vec<f64>> = list(next()?).map(|bound| bound.parse().ok()).collect();
    let (positive, negative) = (buckets(next()?)?, buckets(next()?)?);
    next().is_none().then_some(())?;
    let custom_values = bounds?.into();
    let plain = FloatHistogram::exponential(schema);
    Some(FloatHistogram { zero_threshold, zero_count, count, sum, positive, negative, custom_values, ..plain })
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|item| !item.is_empty())
}

fn buckets(text: &str) -> Option<Buckets> {
    let mut buckets = Buckets::new();
    for item in list(text) {
        let (index, count) = item.split_once(':')?;
        buckets.push(index.parse().ok()?, count.parse().ok()?);
    }
    Some(buckets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_and_another_is_none() {
        let histogram = FloatHistogram {
            zero_threshold: 1e-128,
            count: 3.5,
            sum: f64::NEG_INFINITY,
            positive: Buckets::from_counts([(-2, 0.5), (9, 3.0)]),
            ..FloatHistogram::exponential(-1)
        };
        assert!(!is_plain(&histogram));
        let text = write(&histogram);
        assert_eq!(text, "-1;1e-128;0.0;3.5;-inf;;-2:0.5,9:3.0;");
        assert_eq!(read(&text), Some(histogram));
        for text in ["", "1", "0;0;0;0;0;;;;", "0;0;0;0;0;x;;", "0;0;0;0;0;;1;", "999;0;0;0;0;;;"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
