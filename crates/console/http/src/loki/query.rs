//! `/query` and `/query_range`.

use axum::extract::{FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use console_logql::ast::{Expr, LogExpr, MetricExpr};
use console_logql::{Answer, Limits, LinesRequest, MetricRequest, QueryError};
use tokio::time::Instant;

use super::Shared;
use super::answer::{Refusal, Took, of_lines, of_matrix, of_scalar, of_vector};
use super::parameters::{Parameters, Times};
use super::source::StoreSource;

/// Lines of one answer.
pub(super) const LINES_MAX: usize = 5_000;
/// Lines where no number is named.
const LINES_DEFAULT: usize = 100;
/// Threads that one query reads on at most.
const THREADS_MAX: usize = 4;

/// Whether labels are to be shown by where they came from.
fn is_categorized(headers: &HeaderMap) -> bool {
    let flags = headers.get_all("x-loki-response-encoding-flags").iter().filter_map(|value| value.to_str().ok());
    flags.flat_map(|flags| flags.split(',')).any(|flag| flag.trim() == "categorize-labels")
}

/// Threads that one query reads on: those of the machine, but not so many that one query is all that it does.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
}

pub(super) async fn instant(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let parameters = Parameters::from_request(request, &()).await?;
    let expr = console_logql::parse(parameters.query()?).map_err(QueryError::from)?;
    let now_ns = shared.now_ns();
    let time_ns = parameters.time_ns("time")?.unwrap_or(now_ns);
    parameters.limit("limit", LINES_DEFAULT, LINES_MAX)?;
    parameters.is_backward()?;
    match expr {
        Expr::Log(_) => Err(Refusal::asked(
            "log queries are not supported as an instant query type, please change your query to a range query type",
        )),
        Expr::Metric(expr) => {
            let time_ns = i64::try_from(time_ns).unwrap_or(i64::MAX);
            let request = MetricRequest { start_ns: time_ns, end_ns: time_ns, step_ns: None, now_ns };
            metric(&shared, expr, request).await
        }
    }
}

pub(super) async fn range(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let is_categorized = is_categorized(request.headers());
    let parameters = Parameters::from_request(request, &()).await?;
    let expr = console_logql::parse(parameters.query()?).map_err(QueryError::from)?;
    let now_ns = shared.now_ns();
    let times = parameters.times_of_query(now_ns)?;
    match expr {
        Expr::Log(log) => lines(&shared, log, &parameters, times, is_categorized).await,
        Expr::Metric(expr) => {
            let step_ns = parameters.step_ns(times)?;
            let time = |time_ns: u64| i64::try_from(time_ns).unwrap_or(i64::MAX);
            let (start_ns, end_ns) = (time(times.from_ns), time(times.to_ns));
            metric(&shared, expr, MetricRequest { start_ns, end_ns, step_ns: Some(step_ns), now_ns }).await
        }
    }
}

async fn lines(
    shared: &Shared,
    log: LogExpr,
    parameters: &Parameters,
    times: Times,
    is_categorized: bool,
) -> Result<Response, Refusal> {
    let request = LinesRequest {
        from_ns: times.from_ns,
        to_ns: times.to_ns,
        limit: parameters.limit("limit", LINES_DEFAULT, LINES_MAX)?,
        is_backward: parameters.is_backward()?,
        interval_ns: parameters.duration_ns("interval")?.and_then(|interval| u64::try_from(interval).ok()).unwrap_or(0),
        now_ns: shared.now_ns(),
    };
    let began = Instant::now();
    let read = shared.read(move |store, stop| {
        let found = console_logql::lines(&log, &request, &StoreSource(store), &|| stop.is_set())?;
        let took = Took { scan: found.scan, time: began.elapsed(), entries: found.lines.len() };
        Ok(of_lines(&found.lines, is_categorized, took))
    });
    read.await
}

async fn metric(shared: &Shared, expr: MetricExpr, request: MetricRequest) -> Result<Response, Refusal> {
    let began = Instant::now();
    let read = shared.read(move |store, stop| {
        let source = StoreSource(store);
        let limits = Limits { threads: threads(), ..Limits::default() };
        let (answer, scan) = console_logql::metric(&expr, &request, &source, limits, &|| stop.is_set())?;
        let entries = match &answer {
            Answer::Scalar(_) => 1,
            Answer::Series(series) => series.len(),
        };
        let took = Took { scan, time: began.elapsed(), entries };
        Ok(match (answer, request.step_ns) {
            (Answer::Scalar(value), _) => of_scalar(value, request.end_ns, took),
            (Answer::Series(series), None) => of_vector(&series, request.end_ns, took),
            (Answer::Series(series), Some(step_ns)) => of_matrix(&series, request.start_ns, step_ns, took),
        })
    });
    read.await
}
