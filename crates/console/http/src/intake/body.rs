//! Bodies of requests: read within bounds, decompressed within bounds. What is in them is not known here.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Bytes of a body as it is sent, and once more when it is decompressed.
pub(crate) const BODY_BYTES_MAX: usize = 32 << 20;
/// What is small: of each body, so much is paid for from memory that large bodies cannot use up, and a body that
/// is no larger does not wait for them to be decoded either.
pub(super) const SMALL_BYTES_MAX: usize = 1 << 20;
/// Bytes of all bodies that are coming in or wait to be decoded, as far as each is small.
const SMALL_BUDGET_BYTES: usize = 32 << 20;
/// The same of what is beyond.
const LARGE_BUDGET_BYTES: usize = 96 << 20;
/// The budget is given out in pieces of this many bytes: a sender that says next to nothing is to cost next to
/// nothing.
const PIECE_BYTES: usize = 4 << 10;
/// How long a body may wait for its share of the budget, and then for its turn to be decoded.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a body may take to come.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// By how much telemetry is compressed, usually.
const USUAL_RATIO: usize = 8;
/// The window that a zstd frame may ask for, as a power of two: what its specification recommends to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the body has more than {BODY_BYTES_MAX} bytes{}; send smaller batches", if *.after { " once decompressed" } else { "" })]
    TooLarge { after: bool },
    #[error("content-encoding {0} is not known here; use gzip, zstd, snappy or none")]
    Encoding(String),
    #[error("the body is not {0}: {1}")]
    Compression(&'static str, String),
    #[error("the body did not come to its end: {0}")]
    Incomplete(String),
    #[error("the console is busy; send it again in a second")]
    Busy,
}

/// Memory for bodies, shared by all requests. A request that gets none in time is told to come again.
#[derive(Debug)]
pub(crate) struct Budget {
    small: Pool,
    large: Pool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { small: Pool::of(SMALL_BUDGET_BYTES), large: Pool::of(LARGE_BUDGET_BYTES) }
    }
}

/// A share of the budget, given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    small: Part,
    large: Part,
}

impl Budget {
    /// A share of this many bytes, all of them small, when there is one.
    async fn share(&self, bytes: usize) -> Result<Share, Error> {
        let pieces = bytes.min(SMALL_BYTES_MAX).div_ceil(PIECE_BYTES);
        let wanted = Arc::clone(&self.small.0).acquire_many_owned(u32::try_from(pieces).unwrap_or(u32::MAX));
        let permit = timeout(PATIENCE, wanted).await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        Ok(Share { small: Part { permit: Some(permit), pieces }, large: Part::default() })
    }

    /// Makes a share larger, if that is possible at once: who waits for more while holding some keeps others
    /// waiting who hold some as well.
    fn enlarge(&self, share: &mut Share, bytes: usize) -> Result<(), Error> {
        self.small.enlarge(&mut share.small, bytes.min(SMALL_BYTES_MAX))?;
        self.large.enlarge(&mut share.large, bytes.saturating_sub(SMALL_BYTES_MAX))
    }
}

/// Memory of which there is so much, in pieces.
#[derive(Debug)]
struct Pool(Arc<Semaphore>);

/// What somebody has of a pool.
#[derive(Debug, Default)]
struct Part {
    permit: Option<OwnedSemaphorePermit>,
    pieces: usize,
}

impl Pool {
    fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / PIECE_BYTES)))
    }

    fn enlarge(&self, part: &mut Part, bytes: usize) -> Result<(), Error> {
        let more = bytes.div_ceil(PIECE_BYTES).saturating_sub(part.pieces);
        if more == 0 {
            return Ok(());
        }
        let wanted = Arc::clone(&self.0).try_acquire_many_owned(u32::try_from(more).unwrap_or(u32::MAX));
        let permit = wanted.map_err(|_| Error::Busy)?;
        part.pieces += more;
        match &mut part.permit {
            Some(own) => own.merge(permit),
            None => part.permit = Some(permit),
        }
        Ok(())
    }
}

/// The name of a body's compression; empty if there is none.
pub(crate) fn encoding(headers: &HeaderMap, default_encoding: &str) -> String {
    let told = headers.get(header::CONTENT_ENCODING).map_or(default_encoding.as_bytes(), |value| value.as_bytes());
    let told = String::from_utf8_lossy(told).trim().to_ascii_lowercase();
    if told == "identity" { String::new() } else { told }
}

/// Undoes a compression, if there is one, up to so many bytes. Takes its time: not for threads that serve others.
pub(crate) fn undo(encoding: &str, raw: &Bytes, bytes_max: usize) -> Result<Bytes, Error> {
    if encoding.is_empty() { Ok(raw.clone()) } else { decompress(encoding, raw, bytes_max) }
}

/// How many bytes there will be once the compression is undone, as far as it can be told beforehand: what a sender
/// writes about it may be a lie.
pub(crate) fn expected(encoding: &str, raw: &[u8]) -> usize {
    let told = match encoding {
        "" => Some(raw.len()),
        "snappy" => snap::raw::decompress_len(raw).ok(),
        // The last four bytes are the length, for one member as senders write it (RFC 1952, 2.3.1).
        "gzip" | "x-gzip" => {
            let length = raw.last_chunk::<4>().filter(|_| raw.len() > 18).map(|bytes| u32::from_le_bytes(*bytes));
            length.and_then(|length| usize::try_from(length).ok()).filter(|length| *length >= raw.len() / 2)
        }
        _ => None,
    };
    told.unwrap_or_else(|| raw.len().saturating_mul(USUAL_RATIO)).min(BODY_BYTES_MAX)
}

/// Reads a body to its end, within the budget and in time.
pub(crate) async fn receive(budget: &Budget, body: Body) -> Result<(Bytes, Share), Error> {
    let received = timeout(BODY_TIME_MAX, receive_all(budget, body)).await;
    received.map_err(|_| Error::Incomplete(format!("it took longer than {BODY_TIME_MAX:?}")))?
}

async fn receive_all(budget: &Budget, mut body: Body) -> Result<(Bytes, Share), Error> {
    use axum::body::HttpBody;
    let told = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    if told.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(Error::TooLarge { after: false });
    }
    // What has come is paid for, not what was announced: four who announce much and send nothing would have it all.
    let mut share = budget.share(PIECE_BYTES).await?;
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::Incomplete(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > BODY_BYTES_MAX {
            return Err(Error::TooLarge { after: false });
        }
        budget.enlarge(&mut share, length)?;
        // A body of one piece, as most are, is not copied.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(one) => {
                whole.reserve(told.unwrap_or(length * 2).max(length));
                whole.extend_from_slice(&one);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok((first.unwrap_or_else(|| whole.freeze()), share))
}

/// Undoes a compression, giving up beyond so many bytes.
pub(crate) fn decompress(encoding: &str, bytes: &[u8], bytes_max: usize) -> Result<Bytes, Error> {
    let bounded = |name, decoder: &mut dyn Read| bounded(name, decoder, bytes.len(), bytes_max);
    match encoding {
        "gzip" | "x-gzip" => bounded("gzip", &mut flate2::read::MultiGzDecoder::new(bytes)),
        "deflate" => bounded("deflate", &mut flate2::read::ZlibDecoder::new(bytes)),
        "zstd" => {
            let failed = |error: std::io::Error| Error::Compression("zstd", error.to_string());
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
            bounded("zstd", &mut decoder)
        }
        "snappy" => {
            let failed = |error: snap::Error| Error::Compression("snappy", error.to_string());
            if snap::raw::decompress_len(bytes).map_err(failed)? > bytes_max {
                return Err(Error::TooLarge { after: true });
            }
            Ok(snap::raw::Decoder::new().decompress_vec(bytes).map_err(failed)?.into())
        }
        other => Err(Error::Encoding(other.chars().take(40).collect())),
    }
}

fn bounded(name: &'static str, decoder: &mut dyn Read, compressed: usize, bytes_max: usize) -> Result<Bytes, Error> {
    let mut out = Vec::with_capacity(compressed.saturating_mul(4).min(bytes_max));
    let read = decoder.take(bytes_max as u64 + 1).read_to_end(&mut out);
    read.map_err(|error| Error::Compression(name, error.to_string()))?;
    if out.len() > bytes_max {
        return Err(Error::TooLarge { after: true });
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).unwrap()
    }

    #[test]
    fn what_a_body_will_be_is_told_beforehand_and_never_believed() {
        let text = b"a span, a span, a span, a span".repeat(40_000);
        assert_eq!(expected("", &text), text.len());
        assert_eq!(expected("gzip", &gzip(&text)), text.len());
        assert_eq!(expected("snappy", &snappy(&text)), text.len());
        assert_eq!(expected("zstd", &[0; 500]), 4_000);
        // One that says that it is nothing, and one that says that it is everything.
        let mut lie = gzip(&text);
        let end = lie.len() - 4;
        lie[end..].copy_from_slice(&[0; 4]);
        assert_eq!(expected("gzip", &lie), lie.len() * USUAL_RATIO);
        lie[end..].copy_from_slice(&[0xff; 4]);
        assert_eq!(expected("gzip", &lie), BODY_BYTES_MAX);
        assert_eq!((expected("gzip", b""), expected("snappy", b"")), (0, 0));
        // What is larger than was expected is seen to be.
        let raw = Bytes::from(gzip(&text));
        assert!(matches!(undo("gzip", &raw, text.len() - 1), Err(Error::TooLarge { after: true })));
        assert_eq!(undo("gzip", &raw, text.len()).unwrap(), text);
    }

    #[test]
    fn each_compression_is_undone() {
        let text = b"a span, a span, a span, a span".repeat(40);
        assert_eq!(decompress("gzip", &gzip(&text), BODY_BYTES_MAX).unwrap(), text);
        assert_eq!(decompress("zstd", &zstd::encode_all(&text[..], 3).unwrap(), BODY_BYTES_MAX).unwrap(), text);
        assert_eq!(decompress("snappy", &snappy(&text), BODY_BYTES_MAX).unwrap(), text);
    }

    #[test]
    fn a_bomb_is_given_up_at_the_bound() {
        let zeros = vec![0_u8; BODY_BYTES_MAX + 1];
        let zstd = zstd::encode_all(&zeros[..], 3).unwrap();
        for (name, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd)] {
            assert!(bomb.len() < 200_000, "it has to be small to be a bomb");
            assert!(matches!(decompress(name, &bomb, BODY_BYTES_MAX), Err(Error::TooLarge { after: true })), "{name}");
        }
        let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(matches!(decompress("snappy", &lie, BODY_BYTES_MAX), Err(Error::TooLarge { after: true })));
    }

    #[test]
    fn what_is_not_compressed_as_told_is_an_error() {
        for name in ["gzip", "zstd", "snappy", "deflate"] {
            assert!(matches!(decompress(name, b"plain text", BODY_BYTES_MAX), Err(Error::Compression(..))), "{name}");
        }
        let error = decompress("br", b"", 100).unwrap_err();
        assert_eq!(error.to_string(), "content-encoding br is not known here; use gzip, zstd, snappy or none");
    }

    #[tokio::test]
    async fn who_announces_much_and_sends_nothing_keeps_nobody_out() {
        let budget = Arc::new(Budget::default());
        let silent = || {
            let frames = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
            Body::from_stream(frames)
        };
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (budget, body) = (Arc::clone(&budget), silent());
                tokio::spawn(async move { receive(&budget, body).await.map(drop) })
            })
            .collect();
        let (bytes, _share) = receive(&budget, Body::from(vec![1; 1 << 20])).await.unwrap();
        assert_eq!(bytes.len(), 1 << 20);
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn who_holds_some_does_not_wait_for_more() {
        let budget = Budget::default();
        let mut one = budget.share(1).await.unwrap();
        budget.enlarge(&mut one, LARGE_BUDGET_BYTES / 2).unwrap();
        let mut other = budget.share(1).await.unwrap();
        budget.enlarge(&mut other, LARGE_BUDGET_BYTES / 2).unwrap();
        assert!(matches!(budget.enlarge(&mut one, LARGE_BUDGET_BYTES), Err(Error::Busy)));
        drop(other);
        assert!(budget.enlarge(&mut one, LARGE_BUDGET_BYTES).is_ok());
    }

    #[tokio::test]
    async fn large_bodies_leave_memory_to_small_ones() {
        let budget = Budget::default();
        let mut large = Vec::new();
        while let Ok((_, share)) = receive(&budget, Body::from(vec![0; BODY_BYTES_MAX])).await {
            large.push(share);
            assert!(large.len() < 10, "they have an end");
        }
        let mut small = Vec::new();
        for _ in 0..20 {
            small.push(receive(&budget, Body::from(vec![0; SMALL_BYTES_MAX])).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_body_is_read_within_the_budget_and_the_share_comes_back() {
        let budget = Budget::default();
        let left = |budget: &Budget| (budget.small.0.available_permits(), budget.large.0.available_permits());
        let before = left(&budget);
        let (bytes, share) = receive(&budget, Body::from(vec![7_u8; SMALL_BYTES_MAX + 200_000])).await.unwrap();
        assert_eq!(bytes.len(), SMALL_BYTES_MAX + 200_000);
        assert_eq!(left(&budget), (before.0 - SMALL_BYTES_MAX / PIECE_BYTES, before.1 - 49));
        drop(share);
        assert_eq!(left(&budget), before);
        let large = receive(&budget, Body::from(vec![0; BODY_BYTES_MAX + 1])).await;
        assert!(matches!(large, Err(Error::TooLarge { after: false })));
        assert_eq!(left(&budget), before);
    }
}
