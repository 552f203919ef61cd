//! Bodies of requests: read within bounds, decompressed within bounds. What is in them is not known here.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Bytes of a body as it is sent, and once more when it is decompressed.
pub(crate) const BODY_BYTES_MAX: usize = 32 << 20;
/// Bytes of all bodies that are coming in or wait to be decoded.
const BUDGET_BYTES: usize = 128 << 20;
/// The budget is given out in pieces of this many bytes.
const PIECE_BYTES: usize = 64 << 10;
/// How long a body may wait for its share of the budget.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the next piece of a body may take to come.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// The window that a zstd frame may ask for, as a power of two: what its specification recommends to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Why a body was not taken, with the status that says so.
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

impl Error {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Compression(..) => StatusCode::BAD_REQUEST,
            Self::Incomplete(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Memory for bodies, shared by all requests. A request that gets none in time is told to come again.
#[derive(Debug)]
pub(crate) struct Budget {
    pieces: Semaphore,
}

impl Default for Budget {
    fn default() -> Self {
        Self { pieces: Semaphore::new(BUDGET_BYTES / PIECE_BYTES) }
    }
}

/// A share of the budget, given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share<'a> {
    permit: Option<SemaphorePermit<'a>>,
    bytes: usize,
}

impl Budget {
    /// Makes a share large enough for this many bytes.
    async fn cover<'a>(&'a self, share: &mut Share<'a>, bytes: usize) -> Result<(), Error> {
        if bytes <= share.bytes {
            return Ok(());
        }
        let pieces = (bytes - share.bytes).div_ceil(PIECE_BYTES);
        let wanted = self.pieces.acquire_many(u32::try_from(pieces).unwrap_or(u32::MAX));
        let permit = timeout(PATIENCE, wanted).await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        share.bytes += pieces * PIECE_BYTES;
        match &mut share.permit {
            Some(own) => own.merge(permit),
            None => share.permit = Some(permit),
        }
        Ok(())
    }
}

/// Undoes the `Content-Encoding` of a body that was received. The caller has a slot for it.
pub(crate) async fn undo(headers: &HeaderMap, default_encoding: &str, raw: Bytes) -> Result<Bytes, Error> {
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(default_encoding.as_bytes(), |value| value.as_bytes());
    let encoding = String::from_utf8_lossy(encoding).trim().to_ascii_lowercase();
    if matches!(encoding.as_str(), "" | "identity") {
        return Ok(raw);
    }
    if raw.len() <= super::INLINE_BYTES_MAX / 4 {
        return decompress(&encoding, &raw);
    }
    let task = tokio::task::spawn_blocking(move || decompress(&encoding, &raw));
    task.await.map_err(|error| Error::Incomplete(error.to_string()))?
}

/// Reads a body to its end, within the budget.
pub(crate) async fn receive(budget: &Budget, mut body: Body) -> Result<(Bytes, Share<'_>), Error> {
    use axum::body::HttpBody;
    let mut share = Share::default();
    let told = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    if told.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(Error::TooLarge { after: false });
    }
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    let mut length = 0;
    loop {
        let frame = timeout(SILENCE_MAX, body.frame()).await;
        let Some(frame) = frame.map_err(|_| Error::Incomplete(format!("nothing came for {SILENCE_MAX:?}")))? else {
            break;
        };
        let frame = frame.map_err(|error| Error::Incomplete(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > BODY_BYTES_MAX {
            return Err(Error::TooLarge { after: false });
        }
        budget.cover(&mut share, length).await?;
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

/// Undoes a compression, giving up at [`BODY_BYTES_MAX`].
pub(crate) fn decompress(encoding: &str, bytes: &[u8]) -> Result<Bytes, Error> {
    match encoding {
        "gzip" | "x-gzip" => bounded("gzip", flate2::read::MultiGzDecoder::new(bytes), bytes.len()),
        "deflate" => bounded("deflate", flate2::read::ZlibDecoder::new(bytes), bytes.len()),
        "zstd" => {
            let failed = |error: std::io::Error| Error::Compression("zstd", error.to_string());
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
            bounded("zstd", decoder, bytes.len())
        }
        "snappy" => {
            let failed = |error: snap::Error| Error::Compression("snappy", error.to_string());
            if snap::raw::decompress_len(bytes).map_err(failed)? > BODY_BYTES_MAX {
                return Err(Error::TooLarge { after: true });
            }
            Ok(snap::raw::Decoder::new().decompress_vec(bytes).map_err(failed)?.into())
        }
        other => Err(Error::Encoding(other.chars().take(40).collect())),
    }
}

fn bounded(name: &'static str, decoder: impl Read, compressed: usize) -> Result<Bytes, Error> {
    let mut out = Vec::with_capacity(compressed.saturating_mul(4).min(BODY_BYTES_MAX));
    let read = decoder.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut out);
    read.map_err(|error| Error::Compression(name, error.to_string()))?;
    if out.len() > BODY_BYTES_MAX {
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

    #[test]
    fn each_compression_is_undone() {
        let text = b"a span, a span, a span, a span".repeat(40);
        assert_eq!(decompress("gzip", &gzip(&text)).unwrap(), text);
        assert_eq!(decompress("zstd", &zstd::encode_all(&text[..], 3).unwrap()).unwrap(), text);
        assert_eq!(decompress("snappy", &snap::raw::Encoder::new().compress_vec(&text).unwrap()).unwrap(), text);
    }

    #[test]
    fn a_bomb_is_given_up_at_the_bound() {
        let zeros = vec![0_u8; BODY_BYTES_MAX + 1];
        let zstd = zstd::encode_all(&zeros[..], 3).unwrap();
        for (name, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd)] {
            assert!(bomb.len() < 200_000, "it has to be small to be a bomb");
            assert!(matches!(decompress(name, &bomb), Err(Error::TooLarge { after: true })), "{name}");
        }
        let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(matches!(decompress("snappy", &lie), Err(Error::TooLarge { after: true })));
    }

    #[test]
    fn what_is_not_compressed_as_told_is_an_error() {
        for name in ["gzip", "zstd", "snappy", "deflate"] {
            assert!(matches!(decompress(name, b"plain text"), Err(Error::Compression(..))), "{name}");
        }
        let error = decompress("br", b"").unwrap_err();
        assert_eq!(error.to_string(), "content-encoding br is not known here; use gzip, zstd, snappy or none");
        assert_eq!(error.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_body_is_read_within_the_budget_and_the_share_comes_back() {
        let budget = Budget::default();
        let before = budget.pieces.available_permits();
        let (bytes, share) = receive(&budget, Body::from(vec![7_u8; 200_000])).await.unwrap();
        assert_eq!(bytes.len(), 200_000);
        assert_eq!(budget.pieces.available_permits(), before - 4);
        drop(share);
        assert_eq!(budget.pieces.available_permits(), before);
        let error = receive(&budget, Body::from(vec![0; BODY_BYTES_MAX + 1])).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(budget.pieces.available_permits(), before);
    }
}
