//! Where our answers differ from the recorded ones on purpose, each with its reason. Everything else has to
//! be equal.

/// How an answer differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// There were more traces than asked for, and Jaeger's memory gave any; we give the newest.
    NewestInsteadOfAny,
    /// Another error text, which begins with the same words; the status is the same.
    Text(&'static str),
    /// Another status; the text contains this.
    Refused(u16, &'static str),
    /// An answer with traces, where Jaeger gave none or the wrong ones: so many.
    Traces(usize),
    /// No such path here.
    NotServed,
}

/// A recording by its number, what differs, and why.
pub(crate) const LEDGER: [(u32, Difference, &str); 28] = [
    (8, Difference::NewestInsteadOfAny, NEWEST),
    (10, Difference::NewestInsteadOfAny, NEWEST),
    (11, Difference::NewestInsteadOfAny, NEWEST),
    (13, Difference::Traces(4), "Jaeger's memory does not find the error tag that its own answers show; we do"),
    (14, Difference::NewestInsteadOfAny, NEWEST),
    (15, Difference::NewestInsteadOfAny, NEWEST),
    (16, Difference::NewestInsteadOfAny, NEWEST),
    (17, Difference::NewestInsteadOfAny, NEWEST),
    (18, Difference::Text("malformed 'tags' parameter, cannot unmarshal JSON: "), GO_TEXT),
    (19, Difference::Text("malformed 'tags' parameter, cannot unmarshal JSON: "), GO_TEXT),
    (25, Difference::Traces(1), "a service need not be named: the question is often which service it was"),
    (27, Difference::Refused(400, "'limit' is 0, but it is 1 to 1500"), LIMIT),
    (28, Difference::Refused(400, "'limit' is -1, but it is 1 to 1500"), LIMIT),
    (33, Difference::NewestInsteadOfAny, NEWEST),
    (34, Difference::NewestInsteadOfAny, NEWEST),
    (56, Difference::Text("cannot unmarshal OTLP : "), GO_TEXT),
    (61, Difference::NotServed, "made-up data, for demonstration only, as it says itself"),
    (62, Difference::NotServed, "made-up data: no such services are in what was sent"),
    (63, Difference::NotServed, "a path of the API that is wrong is an error, not a page"),
    (64, Difference::NotServed, "traces are sent over OTLP; a method that is wrong is an error, not a page"),
    (65, Difference::NotServed, "the console's pages are elsewhere"),
    (66, Difference::NotServed, "the console's pages are elsewhere"),
    (71, Difference::NewestInsteadOfAny, NEWEST),
    (72, Difference::NewestInsteadOfAny, NEWEST),
    (73, Difference::NewestInsteadOfAny, NEWEST),
    (74, Difference::Traces(2), "Jaeger left query.attributes out of account, and gave traces without them"),
    (75, Difference::Traces(20), "no number of traces means the usual hundred, as in the older API"),
    (77, Difference::Text("malformed parameter query.start_time_min: "), GO_TEXT),
];

const NEWEST: &str = "which traces come when there are more is arbitrary in Jaeger's memory; the newest are right";
const GO_TEXT: &str = "the words of Go's parser help nobody; ours say what would be right";
const LIMIT: &str = "a limit that cannot be is the asker's error, not the server's";

/// Warnings of Jaeger that are wrong: a span of no length is no span of negative length, and nothing of it
/// was changed.
pub(crate) const WRONG_WARNING: &str = "Negative duration detected, sanitizing end timestamp.";

/// Version 3 succeeds as `text/plain` in Jaeger, because nothing else is said there and Go guesses; what it
/// sends is JSON, so we say so.
pub(crate) const V3_SUCCESS_TYPE: (&str, &str) = ("text/plain; charset=utf-8", "application/json");
