//! Idempotency keys: one command for all requests with one key, and one answer.
//!
//! What makes a retry safe is the command's id (see `delivery::services`); here it is kept with the key,
//! together with the answer, once there is one.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use delivery::repository::{Begun, IdempotencyStore, StoredResponse};
use eventsourcing::with_causes;
use sha2::{Digest, Sha256};
use telemetry::scope;
use uuid::Uuid;

use crate::answer::{Answer, X_POSITION};
use crate::context::RequestContext;
use crate::error::{Error, Kind};
use crate::{Orders, State, problem};

/// The header that carries a key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells a client that it is seeing an earlier answer.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY: usize = 255;

/// What makes two requests the same.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Under which identity a command runs.
pub(crate) struct Claim {
    pub(crate) command_id: Uuid,
    pub(crate) may_be_retry: bool,
    pub(crate) key: Option<String>,
}

/// Runs a command under the request's key, if it has one. Problems come back as answers, since they are
/// kept as well.
pub(crate) async fn run(
    state: &State,
    orders: &Orders,
    request: &Request<'_>,
    context: &RequestContext,
    command: impl AsyncFnOnce(Claim) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let fresh = Uuid::now_v7();
    let Some(key) = key(request.headers)? else {
        return command(Claim { command_id: fresh, may_be_retry: false, key: None }).await;
    };
    let begun = orders.idempotency.begin(&key, fingerprint(request), fresh).await?;
    let (command_id, may_be_retry) = match begun {
        Begun::Run { command_id, is_retry } => (command_id, is_retry),
        Begun::Replay(stored) => return replay(stored),
        Begun::Running => {
            return Err(Error::new(
                Kind::KeyInUse,
                "wait for the first request's answer, or repeat this one a little later",
            ));
        }
        Begun::Mismatch => {
            return Err(Error::new(
                Kind::KeyReused,
                "use a fresh key for a request with another method, path, If-Match or body",
            ));
        }
    };
    let mut lease = Lease { store: Arc::clone(&orders.idempotency), key: Some(key.clone()) };
    let answer = match command(Claim { command_id, may_be_retry, key: Some(key) }).await {
        Ok(answer) => answer,
        Err(error) if is_final(error.kind) => problem::answer(error, context, request.path, state),
        Err(error) => return Err(error),
    };
    lease.end(store(&answer)).await;
    Ok(answer)
}

/// Asking again would lead to the same answer. What is not final is not kept: a retry runs. Whoever is
/// told when to come back, after losing to other writers for instance, would otherwise come back in vain.
fn is_final(kind: Kind) -> bool {
    use StatusCode as S;
    let statuses = [S::BAD_REQUEST, S::NOT_FOUND, S::CONFLICT, S::PRECONDITION_FAILED, S::UNPROCESSABLE_ENTITY];
    statuses.contains(&kind.status()) && kind.retry_after().is_none()
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let good = |key: &&str| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    // Of two keys, nobody knows which one the client means.
    let key = value.to_str().ok().filter(|_| values.next().is_none()).filter(good);
    key.map(|key| Some(key.to_owned()))
        .ok_or_else(|| Error::parameter("Idempotency-Key", "1 to 255 visible ASCII characters, such as a UUID"))
}

fn fingerprint(request: &Request<'_>) -> [u8; 16] {
    let if_match = request.headers.get_all(IF_MATCH).iter().map(|value| value.as_bytes());
    let mut hash = Sha256::new();
    for part in [request.method.as_bytes(), request.path.as_bytes(), request.body].into_iter().chain(if_match) {
        // With its length, so that two lists of parts never run together.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&hash[..16]);
    fingerprint
}

fn store(answer: &Answer) -> StoredResponse {
    let kept = [CONTENT_TYPE, ETAG, LOCATION, X_POSITION];
    let headers = answer.headers.iter().filter(|(name, _)| kept.contains(name));
    StoredResponse {
        status: answer.status.as_u16(),
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect(),
        body: answer.body.to_vec(),
    }
}

fn replay(stored: StoredResponse) -> Result<Answer, Error> {
    let status = StatusCode::from_u16(stored.status).map_err(|error| Error::caused(Kind::Internal, &error))?;
    let headers = stored.headers.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value))).collect();
    Ok(Answer { status, headers, body: stored.body.into() }.with(REPLAYED, "true".to_owned()))
}

/// Holds a key while its command runs. Dropped early (client gone, deadline passed, failure that is not
/// final), it gives the key back, so that a retry need not wait for the lease to run out.
struct Lease {
    store: Arc<dyn IdempotencyStore>,
    key: Option<String>,
}

impl Lease {
    async fn end(&mut self, response: StoredResponse) {
        let Some(key) = self.key.clone() else { return };
        match self.store.complete(&key, response).await {
            Ok(()) => self.key = None,
            // The command is done; its retry would find its own event, and answer the same.
            Err(error) => tracing::warn!(error.cause = with_causes(&error), "idempotent answer could not be kept"),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(key), Ok(runtime)) = (self.key.take(), tokio::runtime::Handle::try_current()) {
            let store = Arc::clone(&self.store);
            runtime.spawn(scope::within(scope::current(), async move {
                if let Err(error) = store.release(&key).await {
                    tracing::warn!(error.cause = with_causes(&error), "idempotency key could not be released");
                }
            }));
        }
    }
}
