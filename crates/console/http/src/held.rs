//! Answers that wait for whoever asked to read them: how much memory they may hold together, and for how long. What
//! an answer is made of is not known here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// Bytes of all answers that are being read.
const HELD_BYTES_MAX: usize = 128 << 20;
/// Memory is given out in pieces of this many bytes, and answers are handed on in such.
const PIECE_BYTES: usize = 64 << 10;
/// An answer that is no larger is not counted.
const SMALL_BYTES_MAX: usize = 256 << 10;
/// How long whoever asked may read nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a path is told that it gets no answer now, in the form that its readers know.
type Refusing = fn(&str, String) -> Response;

/// Memory for answers, shared by all who ask.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pieces: Arc<Semaphore>,
    patience: Duration,
    refusing: Refusing,
}

impl Held {
    /// `refusing` makes a refusal of the path that was asked and of what is to be told. Its status and when to ask
    /// again are set here.
    pub(crate) fn new(refusing: Refusing) -> Self {
        Self { pieces: Arc::new(Semaphore::new(HELD_BYTES_MAX / PIECE_BYTES)), patience: PATIENCE, refusing }
    }
}

/// Counts an answer for as long as it is being read. Without memory for it, it is told to ask again; one that is read
/// no more breaks off.
pub(crate) async fn hold(State(held): State<Held>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let Some(bytes) = bytes.filter(|bytes| *bytes > SMALL_BYTES_MAX) else { return response };
    // One that is larger than all there is has it all, so that it is not refused for ever.
    let pieces = u32::try_from(bytes.min(HELD_BYTES_MAX) / PIECE_BYTES).unwrap_or(u32::MAX);
    let Ok(permit) = Arc::clone(&held.pieces).try_acquire_many_owned(pieces) else {
        return refusal(held.refusing, &path);
    };
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    Response::from_parts(parts, doled_out(body, permit, held.patience))
}

fn refusal(refusing: Refusing, path: &str) -> Response {
    let told = format!(
        "others have asked for {} MiB of answers that they have not read yet; ask again in a moment, or for less",
        HELD_BYTES_MAX >> 20
    );
    let mut response = refusing(path, told);
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// What is handed on.
enum Part {
    Data(Bytes),
    /// There is nothing more. If it does not come, the answer was broken off.
    End,
}

/// The body piece by piece, each when the one before it has been taken: what is taken whole is held by whoever
/// sends it, where nobody counts it.
fn doled_out(mut body: Body, permit: OwnedSemaphorePermit, patience: Duration) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _permit = permit;
        while let Some(frame) = body.frame().await {
            // What failed to be made must not look whole.
            let Ok(frame) = frame else { return };
            let Ok(mut data) = frame.into_data() else { continue };
            while !data.is_empty() {
                let piece = data.split_to(data.len().min(PIECE_BYTES));
                if !matches!(timeout(patience, sender.send(Part::Data(piece))).await, Ok(Ok(()))) {
                    return;
                }
            }
        }
        let _ = sender.send(Part::End).await;
    });
    let parts = futures_util::stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Data(data)) => Some((Ok(data), Some(receiver))),
            Some(Part::End) => None,
            None => Some((Err(std::io::Error::other("the answer was not read in time")), None)),
        }
    });
    Body::from_stream(parts)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    const LARGE: usize = 100 << 20;

    fn held() -> Held {
        Held::new(|path, told| format!("{path}: {told}").into_response())
    }

    fn router(held: &Held) -> Router {
        Router::new()
            .route("/large", get(|| async { vec![7_u8; LARGE] }))
            .route("/huge", get(|| async { vec![7_u8; HELD_BYTES_MAX + 1] }))
            .route("/small", get(|| async { vec![7_u8; SMALL_BYTES_MAX] }))
            .layer(axum::middleware::from_fn_with_state(held.clone(), hold))
    }

    async fn ask(router: &Router, path: &str) -> Response {
        router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn answers_that_nobody_reads_have_a_bound_and_small_ones_go_on() {
        let held = held();
        let router = router(&held);
        let unread = ask(&router, "/large").await;
        assert_eq!(unread.status(), StatusCode::OK);
        let refused = ask(&router, "/large").await;
        assert_eq!(
            (refused.status(), refused.headers()["retry-after"].to_str().unwrap()),
            (StatusCode::SERVICE_UNAVAILABLE, "1")
        );
        let told = String::from_utf8(refused.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(told.starts_with("/large: ") && told.contains("128 MiB") && told.contains("ask again"), "{told}");
        assert_eq!(ask(&router, "/small").await.status(), StatusCode::OK);
        // Read to its end, or given up, it makes room.
        assert_eq!(unread.into_body().collect().await.unwrap().to_bytes().len(), LARGE);
        drop(ask(&router, "/huge").await);
        while held.pieces.available_permits() < HELD_BYTES_MAX / PIECE_BYTES {
            tokio::task::yield_now().await;
        }
        let huge = ask(&router, "/huge").await;
        assert_eq!(huge.headers()["content-length"], (HELD_BYTES_MAX + 1).to_string().as_str());
        assert_eq!(huge.into_body().collect().await.unwrap().to_bytes().len(), HELD_BYTES_MAX + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_read_breaks_off_and_does_not_look_whole() {
        let held = held();
        let mut unread = ask(&router(&held), "/large").await.into_body();
        assert_eq!(unread.frame().await.unwrap().unwrap().into_data().unwrap().len(), PIECE_BYTES);
        tokio::time::sleep(PATIENCE * 2).await;
        assert_eq!(held.pieces.available_permits(), HELD_BYTES_MAX / PIECE_BYTES);
        assert!(unread.collect().await.is_err());
    }
}
