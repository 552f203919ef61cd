//! Where our answers differ from the recorded ones, and why. An entry that no longer holds fails the test.

use serde_json::Value as Json;

use crate::normal::shape;
use crate::recording::{Answer, Recording};

/// How an answer differs.
pub(crate) enum Difference {
    /// It is about the one who answers: the same keys with values of the same type, the lists of other lengths.
    Shape,
    /// The same status, and this in the text of the error.
    Text(&'static str),
    /// Another status, and this in the text.
    Status(u16, &'static str),
    /// Success all the same, with this in the text.
    Contains(&'static str),
}

use Difference::{Contains, Shape, Status, Text};

const JOB_FIRST: &str = r#"{job=\"api\","#;
const ORDER: &str = "matchers stay in the order in which they were written";
const EXPERIMENTAL: &str = "experimental functions need no switch";

/// Which request (the beginning of its name, or all of it where a `$` ends it), how it differs, and why.
pub(crate) const LEDGER: &[(&str, Difference, &str)] = &[
    ("GET /api/v1/status/buildinfo", Shape, "another program"),
    ("GET /api/v1/status/runtimeinfo", Shape, "another process"),
    ("GET /api/v1/status/tsdb$", Shape, "another store"),
    ("GET /api/v1/status/tsdb?limit=2", Shape, "another store"),
    ("GET /api/v1/status/flags", Contains(r#""query.lookback-delta":"5m""#), "only options that are bounds here"),
    ("GET /api/v1/status/config", Contains("job_name"), "there is no configuration but what is scraped"),
    ("HEAD /api/v1/query", Status(200, ""), "a HEAD is answered wherever a GET is"),
    ("DELETE /api/v1/series", Status(405, "Method Not Allowed"), "there is nothing to delete by"),
    ("POST /api/v1/admin", Status(404, "404 page not found"), "there are no admin APIs"),
    ("PUT /api/v1/admin", Status(404, "404 page not found"), "there are no admin APIs"),
    (
        "GET /api/v1/query_exemplars?query=1&",
        Status(200, r#""data":[]"#),
        "a query without selectors has no exemplars, which is an empty list rather than no content",
    ),
    ("GET /api/v1/query?query=1&time=$", Contains("1700090000"), "now is another time"),
    (
        "GET /api/v1/query?query=http_requests_total&time=1700000600&limit=2",
        Contains(r#""warnings":["results truncated due to limit"]"#),
        "which series are left out is anybody's guess there; here it is the last ones by labels",
    ),
    (
        "GET /api/v1/query?query=up+%2B+on%28job%29+memory_bytes",
        Text(r#"found duplicate series for the match group {job="api"} on the right hand-side of the operation"#),
        "the first two are named by order of labels, and not by chance",
    ),
    ("HEAD /-/ready", Status(200, ""), "the type of what a GET would get is told"),
    (
        "GET /api/v1/targets/metadata?match_target=%7Bjob%3D%22scraped%22%7D&limit=2",
        Contains("queue_depth"),
        "a limit of 2 gives 2, and not one more",
    ),
    (
        "GET /api/v1/format_query?query=%7B%22quoted.name%22",
        Contains(r#"{\"quoted.name\",\"l.l\"=\"v\"}"#),
        "a name in braces stays where it was written",
    ),
    (
        "GET /api/v1/parse_query?query=%7B%22quoted.name%22",
        Contains(r#""name":"quoted.name""#),
        "a name is one, in braces too",
    ),
    ("GET /api/v1/format_query?query=histogram_quantile%280.9", Contains(JOB_FIRST), ORDER),
    ("GET /api/v1/format_query?query=sum%28rate%28some_very_long", Contains(JOB_FIRST), ORDER),
    ("GET /api/v1/format_query?query=some_long_metric_name_number_one", Contains(r#"{with=\"labels\",that="#), ORDER),
    (
        "GET /api/v1/format_query?query=max_over_time%28sum",
        Contains("(\\n    sum by (instance)"),
        "what is inside of a subquery is indented like everything else",
    ),
    ("GET /api/v1/format_query?query=limitk", Status(200, "limitk(2, a)"), EXPERIMENTAL),
    ("GET /api/v1/parse_query?query=limitk", Status(200, r#""op":"limitk""#), EXPERIMENTAL),
];

/// What does not fit the entry, if anything.
pub(crate) fn differs(recording: &Recording, answer: &Answer, difference: &Difference) -> Option<String> {
    let expected = &recording.answer;
    let json = |answer: &Answer| serde_json::from_str::<Json>(&answer.text).unwrap_or_default();
    let shown: String = answer.text.chars().take(600).collect();
    if crate::differs(recording, answer).is_none() {
        return Some("the ledger is out of date: it is the same".to_owned());
    }
    let fits = match difference {
        Shape => answer.status == expected.status && shape(&json(answer)) == shape(&json(expected)),
        Text(text) => {
            answer.status == expected.status && json(answer)["error"].as_str().is_some_and(|told| told.contains(text))
        }
        Status(status, text) => answer.status == *status && answer.text.contains(text),
        Contains(text) => answer.status == expected.status && answer.text.contains(text),
    };
    (!fits).then(|| format!("not as the ledger says: {} {shown}", answer.status))
}
