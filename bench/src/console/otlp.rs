//! What senders of OTLP send: spans of traces that cross services, and log records, a thousand a request, as
//! a collector would batch them.

use super::protobuf::Writer;
use super::template::{Marks, Template, mix};
use crate::client::post_head;

pub const SERVICES: u32 = 20;
/// Spans, and records, of one request.
pub const ITEMS: u32 = 1_000;
/// Spans of one trace: calls from service to service, each seen from both sides.
pub const SPANS_PER_TRACE: u32 = 10;
pub const TRACES: u32 = ITEMS / SPANS_PER_TRACE;
/// Requests that differ in more than ids and time.
pub const TEMPLATES: u32 = 40;
/// What one span in 20,000 has.
pub const RARE_TAG: (&str, &str) = ("release.canary", "true");

const MS: u64 = 1_000_000;
const ROUTES: [(&str, &str); 8] = [
    ("GET", "/api/orders/{id}"),
    ("POST", "/api/orders"),
    ("GET", "/api/orders"),
    ("PUT", "/api/orders/{id}/address"),
    ("POST", "/api/orders/{id}/payments"),
    ("GET", "/api/stock/{id}"),
    ("DELETE", "/api/carts/{id}"),
    ("GET", "/api/customers/{id}/orders"),
];
const AGENTS: [&str; 3] =
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "okhttp/4.12.0", "python-requests/2.32.3"];

pub fn service(number: u32) -> String {
    const NAMES: [&str; 5] = ["orders", "payments", "stock", "delivery", "customers"];
    let number = (number % SERVICES) as usize;
    format!("{}-{}", NAMES[number % NAMES.len()], number / NAMES.len())
}

/// Requests of spans, as they go over HTTP.
pub fn spans() -> Vec<Template> {
    (0..TEMPLATES).map(|number| template("/v1/traces", number, &span)).collect()
}

/// Requests of log records, as they go over HTTP to a path.
pub fn records(path: &str) -> Vec<Template> {
    (0..TEMPLATES).map(|number| template(path, number, &record)).collect()
}

/// Writes an item of a trace: the template's number, the trace's and the item's.
type Item = dyn Fn(&mut Writer<'_>, &mut Marks, u32, u32, u32);

fn template(path: &str, number: u32, item: &Item) -> Template {
    let (mut body, mut marks) = (Vec::new(), Marks::default());
    let mut request = Writer::new(&mut body);
    for service in 0..SERVICES {
        request.message(1, |group| {
            group.message(1, |resource| resource_of(resource, service));
            group.message(2, |scope| {
                scope.message(1, |name| {
                    name.text(1, "http");
                    name.text(2, "1.4.2");
                });
                for trace in 0..TRACES {
                    for span in (0..SPANS_PER_TRACE).filter(|span| owner(trace, *span) == service) {
                        scope.message(2, |message| item(message, &mut marks, number, trace, span));
                    }
                }
            });
        });
    }
    Template::new(&body, marks, |length| post_head(path, "content-type: application/x-protobuf\r\n", length))
}

/// The service that a span is of: a server and the client of its next call are of the same.
const fn owner(trace: u32, span: u32) -> u32 {
    (trace + 2 * (span / 2)) % SERVICES
}

fn resource_of(resource: &mut Writer<'_>, number: u32) {
    let name = service(number);
    text(resource, 1, "service.name", &name);
    text(resource, 1, "service.namespace", "shop");
    text(resource, 1, "service.version", "2.31.0");
    text(resource, 1, "service.instance.id", &format!("{:016x}", mix(u64::from(number))));
    text(resource, 1, "deployment.environment.name", "production");
    text(resource, 1, "k8s.pod.name", &format!("{name}-7d9c6b5f4-x2k{number}"));
    text(resource, 1, "host.name", &format!("node-{}", number % 3));
}

fn text(to: &mut Writer<'_>, field: u32, key: &str, value: &str) {
    to.message(field, |pair| {
        pair.text(1, key);
        pair.message(2, |any| any.text(1, value));
    });
}

fn int(to: &mut Writer<'_>, field: u32, key: &str, value: u64) {
    to.message(field, |pair| {
        pair.text(1, key);
        pair.message(2, |any| any.varint(3, value));
    });
}

/// How long a trace takes, nanoseconds: between 4 and 500 ms, most of them short.
fn duration_ns(number: u32, trace: u32) -> u64 {
    let chance = (mix(u64::from(number) << 32 | u64::from(trace)) % 1_000) as f64 / 1_000.0;
    4 * MS + (496.0 * MS as f64 * chance.powi(4)) as u64
}

/// A span with ten attributes. Each is within its parent, and the root ends at the time of sending.
fn span(to: &mut Writer<'_>, marks: &mut Marks, number: u32, trace: u32, span: u32) {
    let chance = mix(u64::from(number) << 40 | u64::from(trace) << 8 | u64::from(span));
    let (method, route) = ROUTES[(trace + number + span / 2) as usize % ROUTES.len()];
    let is_server = span.is_multiple_of(2);
    let has_failed = mix(u64::from(number * TRACES + trace)).is_multiple_of(50) && span >= 6;
    to.bytes(1, &marks.trace(trace));
    to.bytes(2, &marks.span(trace, span));
    if span > 0 {
        to.bytes(4, &marks.span(trace, span - 1));
    }
    to.text(5, &format!("{method} {route}"));
    to.varint(6, if is_server { 2 } else { 3 });
    // Each is shorter than its parent by a twentieth of the root on either side.
    let inset = duration_ns(number, trace) / 24 * u64::from(span);
    to.fixed64(7, marks.before(duration_ns(number, trace) - inset));
    to.fixed64(8, marks.before(inset));
    text(to, 9, "http.request.method", method);
    int(to, 9, "http.response.status_code", if has_failed { 503 } else { 200 });
    text(to, 9, "network.protocol.version", "1.1");
    text(to, 9, "server.address", &service(owner(trace, span + 1)));
    int(to, 9, "server.port", 8080);
    let path = |marks: &mut Marks| match route.split_once("{id}") {
        Some((before, after)) => format!("{before}{}{after}", marks.digits(trace)),
        None => route.to_owned(),
    };
    if is_server {
        text(to, 9, "url.path", &path(marks));
        text(to, 9, "http.route", route);
        text(to, 9, "client.address", &format!("10.1.{}.{}", chance % 4, chance / 4 % 250));
        text(to, 9, "user_agent.original", AGENTS[chance as usize % AGENTS.len()]);
    } else {
        text(to, 9, "url.full", &format!("http://{}:8080{}", service(owner(trace, span + 1)), path(marks)));
        text(to, 9, "network.peer.address", &format!("10.2.0.{}", chance % 250));
        int(to, 9, "network.peer.port", 8080);
        text(to, 9, "peer.service", &service(owner(trace, span + 1)));
    }
    if number.is_multiple_of(TEMPLATES / 2) && trace == 7 && span == 4 {
        text(to, 9, RARE_TAG.0, RARE_TAG.1);
    } else {
        int(to, 9, "thread.id", chance % 64);
    }
    to.message(15, |status| {
        if has_failed {
            status.text(2, "upstream does not answer");
            status.varint(3, 2);
        }
    });
}

/// A log record with its trace, and five attributes.
fn record(to: &mut Writer<'_>, marks: &mut Marks, number: u32, trace: u32, span: u32) {
    let chance = mix(u64::from(number) << 40 | u64::from(trace) << 8 | u64::from(span));
    let (method, route) = ROUTES[(trace + number + span / 2) as usize % ROUTES.len()];
    let has_failed = chance.is_multiple_of(50);
    to.fixed64(1, marks.before(chance % MS));
    to.varint(2, if has_failed { 17 } else { 9 });
    to.text(3, if has_failed { "ERROR" } else { "INFO" });
    to.message(5, |any| {
        let milliseconds = chance % 997;
        any.text(1, &format!("request done: {method} {route} for {} in {milliseconds} ms", marks.digits(trace)));
    });
    text(to, 6, "http.request.method", method);
    text(to, 6, "http.route", route);
    int(to, 6, "http.response.status_code", if has_failed { 503 } else { 200 });
    text(to, 6, "code.function.name", "shop::orders::handle");
    int(to, 6, "thread.id", chance % 64);
    to.fixed32(8, 1);
    to.bytes(9, &marks.trace(trace));
    to.bytes(10, &marks.span(trace, span));
    to.fixed64(11, marks.before(0));
}
