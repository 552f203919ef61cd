//! What a search asks for, in the parameters of the older API and of version 3, and the traces it finds.
//! How they are written is not known here.

use console_model::{Text, TraceId};
use console_storage::{Evicted, ReadError, Store, Trace, TraceQuery};
use hashbrown::HashSet;
use jiff::Timestamp;

use super::parameters::{self, Parameters};
use crate::reads::Stop;

/// Traces in one answer.
const TRACES_MAX: usize = 1_500;
/// Traces in one answer where no number is named.
const TRACES_DEFAULT: usize = 100;
/// Spans of all traces of one answer: the trace that passes it is the last.
const SPANS_MAX: usize = 50_000;
/// Traces that are loaded together, and about how many spans they may have.
const TRACES_AT_ONCE: usize = 20;
const SPANS_AT_ONCE: usize = 20_000;
/// How far back is looked where no start is named.
const LOOKBACK_NS: u64 = 48 * 60 * 60 * 1_000_000_000;

/// What the older API's `/api/traces` was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Traces by id; `None` stands for an id that no trace has.
    Ids(Vec<(String, Option<TraceId>)>),
    /// Traces by what they are like.
    Like(TraceQuery),
}

/// Reads the parameters of `/api/traces`.
pub(super) fn classic(parameters: &Parameters, now_ns: u64) -> Result<Wanted, String> {
    let (from_ns, to_ns) = classic_times(parameters, now_ns)?;
    let tags = classic_tags(parameters)?;
    let limit = match parameters.first("limit") {
        None => TRACES_DEFAULT,
        Some(text) => limit("limit", parameters::integer(text, "ParseInt")?)?,
    };
    let duration_min_ns = parameters.duration_ns("minDuration")?.unwrap_or(0);
    let duration_max_ns = parameters.duration_ns("maxDuration")?.filter(|max| *max > 0).unwrap_or(u64::MAX);
    let ids: Vec<&str> = parameters.all("traceID").collect();
    if !ids.is_empty() {
        if ids.len() > TRACES_MAX {
            return Err(format!("'traceID' is there {} times, but at most {TRACES_MAX} times is allowed", ids.len()));
        }
        let read = |text: &&str| Ok(((*text).to_owned(), parameters::trace_id(text)?));
        return ids.iter().map(read).collect::<Result<_, String>>().map(Wanted::Ids);
    }
    if duration_min_ns > duration_max_ns {
        return Err("'maxDuration' should be greater than 'minDuration'".to_owned());
    }
    Ok(Wanted::Like(TraceQuery {
        service: parameters.first("service").map(Text::from),
        operation: parameters.first("operation").map(Text::from),
        tags,
        from_ns,
        to_ns,
        duration_min_ns,
        duration_max_ns,
        limit,
    }))
}

/// The time of a request to the older API, in microseconds there and nanoseconds here.
pub(super) fn classic_times(parameters: &Parameters, now_ns: u64) -> Result<(u64, u64), String> {
    let time_ns = |name| parameters.integer(name).map(|time| time.map(|us| microseconds(us).saturating_mul(1_000)));
    let from_ns = time_ns("start")?.unwrap_or_else(|| now_ns.saturating_sub(LOOKBACK_NS));
    let to_ns = time_ns("end")?.map_or(now_ns, |to_ns| to_ns.saturating_add(999));
    Ok((from_ns, to_ns))
}

/// A time before 1970 is the beginning of it: nothing is older.
fn microseconds(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

fn limit(name: &str, number: i64) -> Result<usize, String> {
    usize::try_from(number)
        .ok()
        .filter(|number| (1..=TRACES_MAX).contains(number))
        .ok_or_else(|| format!("'{name}' is {number}, but it is 1 to {TRACES_MAX}, as in {name}={TRACES_DEFAULT}"))
}

fn classic_tags(parameters: &Parameters) -> Result<Vec<(Text, Text)>, String> {
    let mut tags = Vec::new();
    for tag in parameters.all("tag") {
        let Some((key, value)) = tag.split_once(':') else {
            return Err(format!("malformed 'tag' parameter, expecting key:value, received: {tag}"));
        };
        tags.push((key.into(), value.into()));
    }
    for json in parameters.all("tags").filter(|json| !json.is_empty()) {
        tags.extend(parameters::tags(json).map_err(|reason| format!("malformed 'tags' parameter, {reason}"))?);
    }
    Ok(tags)
}

/// Reads the parameters of `/api/v3/traces`.
pub(super) fn v3(parameters: &Parameters) -> Result<TraceQuery, String> {
    let malformed = |name: &str, reason: String| format!("malformed parameter {name}: {reason}");
    let time_ns = |name: &str, text: &str| {
        let time: Timestamp = text.parse().map_err(|_| {
            malformed(name, format!("{text:?} is no time of RFC 3339, as in 2026-11-23T23:23:00.000000000Z"))
        })?;
        Ok::<u64, String>(u64::try_from(time.as_nanosecond()).unwrap_or(0))
    };
    let (from, to) = ("query.start_time_min", "query.start_time_max");
    let (Some(from_text), Some(to_text)) = (parameters.first(from), parameters.first(to)) else {
        return Err(format!("{from} and {to} are required"));
    };
    let (from_ns, to_ns) = (time_ns(from, from_text)?, time_ns(to, to_text)?);
    let named = ["query.num_traces", "query.search_depth"]
        .into_iter()
        .find_map(|name| parameters.first(name).map(|text| (name, text)));
    let limit = match named {
        None => TRACES_DEFAULT,
        Some((name, text)) => {
            limit(name, parameters::integer(text, "Atoi").map_err(|reason| malformed(name, reason))?)?
        }
    };
    let duration = |name: &str| {
        let read = |text| parameters::duration_ns(text).map_err(|reason| malformed(name, reason));
        parameters.first(name).map(read).transpose()
    };
    let duration_min_ns = duration("query.duration_min")?.unwrap_or(0);
    let duration_max_ns = duration("query.duration_max")?.filter(|max| *max > 0).unwrap_or(u64::MAX);
    if duration_min_ns > duration_max_ns {
        return Err("query.duration_max should be greater than query.duration_min".to_owned());
    }
    let attributes = "query.attributes";
    let tags = match parameters.first(attributes) {
        None => Vec::new(),
        Some(json) => parameters::tags(json).map_err(|reason| malformed(attributes, reason))?,
    };
    Ok(TraceQuery {
        service: parameters.first("query.service_name").map(Text::from),
        operation: parameters.first("query.operation_name").map(Text::from),
        tags,
        from_ns,
        to_ns,
        duration_min_ns,
        duration_max_ns,
        limit,
    })
}

/// The traces of an answer.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) traces: Vec<(TraceId, Trace)>,
    /// The ids of which nothing is kept, with what of them was removed.
    pub(super) missing: Vec<(String, Vec<Evicted>)>,
    /// How many more there were than an answer holds.
    pub(super) left_out: usize,
}

impl Found {
    /// What to say of an answer that does not hold all.
    pub(super) fn notice(&self) -> Option<String> {
        let left_out = self.left_out;
        (left_out > 0).then(|| {
            format!("{left_out} more traces are left out, for an answer ends with {SPANS_MAX} spans; narrow the search")
        })
    }
}

/// Fetches what is wanted, within the bounds of an answer.
pub(super) fn find(store: &Store, wanted: Wanted, stop: &Stop) -> Result<Found, ReadError> {
    find_within(store, wanted, SPANS_MAX, stop)
}

fn find_within(store: &Store, wanted: Wanted, spans_max: usize, stop: &Stop) -> Result<Found, ReadError> {
    let mut ids: Vec<(String, Option<TraceId>)> = match wanted {
        Wanted::Ids(ids) => ids,
        Wanted::Like(query) => store.search_traces(&query)?.into_iter().map(|id| (id.to_string(), Some(id))).collect(),
    };
    let mut seen = HashSet::new();
    ids.retain(|(_, id)| id.is_none_or(|id| seen.insert(id)));
    let mut found = Found::default();
    let mut spans = 0;
    let mut rest = &ids[..];
    while !rest.is_empty() {
        let (now, later) = rest.split_at(at_once(spans, found.traces.len()).min(rest.len()));
        let wanted: Vec<TraceId> = now.iter().filter_map(|(_, id)| *id).collect();
        let mut traces = store.traces(&wanted)?.into_iter();
        for (at, (text, id)) in now.iter().enumerate() {
            if spans >= spans_max || stop.is_set() {
                found.left_out = rest.len() - at;
                return Ok(found);
            }
            match id.and_then(|id| traces.next().map(|trace| (id, trace))) {
                Some((id, trace)) if !trace.batch.is_empty() => {
                    spans += trace.batch.len();
                    found.traces.push((id, trace));
                }
                absent => {
                    let evicted = absent.map(|(_, trace)| trace.evicted).unwrap_or_default();
                    found.missing.push((text.clone(), evicted));
                }
            }
        }
        rest = later;
    }
    Ok(found)
}

/// How many traces to load next, going by those that were: many share the reading, few are not too much for memory.
fn at_once(spans: usize, traces: usize) -> usize {
    match spans.checked_div(traces) {
        None => 2,
        Some(average) => (SPANS_AT_ONCE / average.max(1)).clamp(1, TRACES_AT_ONCE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: u64 = 1_795_600_000_000_000_000;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        Parameters::new(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    fn query(pairs: &[(&str, &str)]) -> TraceQuery {
        match classic(&parameters(pairs), NOW_NS).unwrap() {
            Wanted::Like(query) => query,
            Wanted::Ids(ids) => panic!("{ids:?}"),
        }
    }

    #[test]
    fn nothing_said_is_the_newest_hundred_of_two_days_of_any_service() {
        let expected = TraceQuery { from_ns: NOW_NS - LOOKBACK_NS, to_ns: NOW_NS, limit: 100, ..TraceQuery::default() };
        assert_eq!(query(&[("lookback", "1h"), ("service", "")]), expected);
    }

    #[test]
    fn tags_come_as_json_or_one_by_one_and_keep_what_follows_the_first_colon() {
        let asked = query(&[("tag", "url:http://x"), ("tags", r#"{"a":"1"}"#), ("tag", "b:2")]);
        let expected = [("url", "http://x"), ("b", "2"), ("a", "1")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(asked.tags, expected);
    }

    #[test]
    fn the_last_microsecond_is_whole_and_times_before_1970_are_none() {
        let asked = query(&[("start", "-5"), ("end", "7"), ("maxDuration", "0ms")]);
        assert_eq!((asked.from_ns, asked.to_ns, asked.duration_max_ns), (0, 7_999, u64::MAX));
        let far = i64::MAX.to_string();
        assert_eq!(query(&[("end", far.as_str())]).to_ns, u64::MAX);
    }

    #[test]
    fn what_an_answer_may_hold_is_bounded() {
        for number in ["0", "-1", "1501"] {
            let error = classic(&parameters(&[("limit", number)]), NOW_NS).unwrap_err();
            assert!(error.contains("it is 1 to 1500, as in limit=100"), "{error}");
        }
        assert_eq!(query(&[("limit", "1500")]).limit, 1_500);
        assert!(classic(&parameters(&vec![("traceID", "1"); 1_501]), NOW_NS).is_err());
    }

    #[test]
    fn an_id_of_zeros_is_asked_for_like_any_other() {
        let wanted = classic(&parameters(&[("traceID", "a"), ("traceID", "0")]), NOW_NS);
        let expected = [("a".to_owned(), TraceId::new(10)), ("0".to_owned(), None)];
        assert_eq!(wanted, Ok(Wanted::Ids(expected.into())));
    }

    #[test]
    fn version_3_needs_times_and_reads_them_with_any_offset() {
        let times =
            [("query.start_time_min", "2026-11-23T23:23:00Z"), ("query.start_time_max", "2026-11-24T01:00:00+01:00")];
        let asked = v3(&parameters(&times)).unwrap();
        assert_eq!(asked.to_ns - asked.from_ns, 37 * 60 * 1_000_000_000);
        assert_eq!(asked.limit, 100);
        assert!(v3(&parameters(&times[..1])).unwrap_err().ends_with("are required"));
    }

    #[test]
    fn an_answer_ends_with_the_trace_that_fills_it_and_says_what_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let options = console_storage::Options { retention_age: std::time::Duration::ZERO, ..Default::default() };
        let store = Store::open(folder.path(), options, std::sync::Arc::new(eventsourcing::clock::System)).unwrap();
        let spans = (1..=12_u64).map(|number| {
            let trace_id = TraceId::new(u128::from(number.div_ceil(3))).unwrap();
            console_model::Span {
                start_ns: number,
                ..console_model::Span::new(trace_id, console_model::SpanId::new(number).unwrap())
            }
        });
        let group = console_model::SpanGroup {
            resource: std::sync::Arc::default(),
            scope: std::sync::Arc::default(),
            spans: spans.collect(),
        };
        store.ingest_spans(&console_model::SpanBatch { groups: vec![group] }).unwrap();
        let found =
            |spans_max, stop: &Stop| find_within(&store, Wanted::Like(TraceQuery::default()), spans_max, stop).unwrap();
        let whole = found(10, &Stop::default());
        assert_eq!((whole.traces.len(), whole.notice()), (4, None));
        let part = found(4, &Stop::default());
        let ids: Vec<u128> = part.traces.iter().map(|(id, _)| id.get()).collect();
        assert_eq!(ids, [4, 3], "the newest, whole");
        assert!(part.notice().unwrap().starts_with("2 more traces are left out"));
        let ids = [("1", 1), ("x", 0), ("01", 1), ("9", 9), ("2", 2)].map(|(text, id)| (text.into(), TraceId::new(id)));
        let named = find_within(&store, Wanted::Ids(ids.into()), 10, &Stop::default()).unwrap();
        let there: Vec<u128> = named.traces.iter().map(|(id, _)| id.get()).collect();
        let missing: Vec<&str> = named.missing.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!((there, missing), (vec![1, 2], vec!["x", "9"]), "each once, whatever is between them");
    }

    #[test]
    fn as_many_are_loaded_at_once_as_those_before_were_small() {
        let traces_of = |spans: usize| at_once(spans * 3, 3);
        assert_eq!((at_once(0, 0), traces_of(10), traces_of(5_000), traces_of(50_000)), (2, 20, 4, 1));
    }
}
