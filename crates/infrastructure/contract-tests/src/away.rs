//! What every adapter of an engine elsewhere does while the engine is not there or says nothing: it tells in time,
//! with where the engine should be, and without secrets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::repository::{Error, ProjectionStore};
use tokio::net::TcpListener;

use crate::progress::Reader;

const PASSWORD: &str = "s3cret";

/// An adapter of the read side.
pub struct Adapter {
    /// For those who read.
    pub reader: Reader,
    /// For the projector.
    pub store: Arc<dyn ProjectionStore>,
}

/// An error with its causes, as the log has it.
pub fn told(error: &dyn std::error::Error) -> String {
    error.source().map_or(error.to_string(), |source| format!("{error}: {}", told(source)))
}

/// Readers are told within `limit`, and the projector within two seconds more. `open` is given user, password and
/// address, as URLs have them; what readers are told is returned.
pub async fn nobody_there(open: impl FnOnce(&str) -> Adapter, limit: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let Adapter { reader, store } = open(&authority(address));
    let told = unavailable(&reader, limit).await;
    assert!(told.contains(&address.to_string()), "{told}");
    let begun = Instant::now();
    let generations = store.generations().await;
    assert!(matches!(generations, Err(Error::Unavailable { .. })), "{generations:?}");
    assert!(begun.elapsed() < limit + Duration::from_secs(2), "{:?}", begun.elapsed());
    told
}

/// The same of readers, when somebody takes the connection and says nothing.
pub async fn nobody_who_answers(open: impl FnOnce(&str) -> Adapter, limit: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Adapter { reader, .. } = open(&authority(listener.local_addr().unwrap()));
    unavailable(&reader, limit).await
}

fn authority(address: SocketAddr) -> String {
    format!("u:{PASSWORD}@{address}")
}

async fn unavailable(reader: &Reader, limit: Duration) -> String {
    let begun = Instant::now();
    let error = reader.ping().await.unwrap_err();
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let told = told(&error);
    assert!(!told.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD), "{error:?}");
    told
}
