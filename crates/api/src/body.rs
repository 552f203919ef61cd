//! Reads a JSON body within its limit, and says precisely what is wrong with it, without repeating what
//! it holds.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use delivery::models::Violation;
use serde::Deserialize;
use serde_json::error::Category;

use crate::error::{Error, Kind};

/// Reads the body of a request; 415 unless it is announced as JSON, 413 beyond `limit` bytes.
pub(crate) async fn read(request: Request<Body>, limit: usize) -> Result<Bytes, Error> {
    check_type(request.headers())?;
    read_any(request, limit).await
}

/// Reads the body of a request whose content does not matter.
pub(crate) async fn read_any(request: Request<Body>, limit: usize) -> Result<Bytes, Error> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || Error::new(Kind::BodyTooLarge, format!("a body may have at most {limit} bytes"));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    to_bytes(request.into_body(), limit).await.map_err(|error| {
        let is_limit = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
        if is_limit {
            too_large()
        } else {
            Error::new(Kind::MalformedJson, "the body ended before it was complete")
        }
    })
}

fn check_type(headers: &HeaderMap) -> Result<(), Error> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    Err(Error::new(
        Kind::UnsupportedMediaType,
        "send the header Content-Type: application/json",
    ))
}

/// Reads JSON of a known shape: 400 when it is not JSON, 422 with the place when it has another shape.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(error) if error.classify() == Category::Data => Err(misshapen::<T>(bytes)),
        Err(error) => {
            let place = format!(
                "the body stops being JSON at line {} column {}",
                error.line(),
                error.column()
            );
            Err(Error::new(Kind::MalformedJson, place))
        }
    }
}

/// Reads once more, slowly, to find the place. serde's own words can quote a value, so only the kind of
/// the fault is told.
fn misshapen<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Error {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let (pointer, text) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => (String::new(), String::new()),
        Err(error) => (pointer(error.path()), error.inner().to_string()),
    };
    let (pointer, detail) = match text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split_once('`'))
    {
        Some((field, _)) => (format!("{pointer}/{field}"), "must be there".to_owned()),
        None => {
            let expected = text
                .rsplit_once("expected ")
                .map_or("another type", |(_, expected)| expected);
            let expected = expected.split(" at line ").next().unwrap_or_default();
            (pointer, format!("must be {expected}"))
        }
    };
    Error {
        violations: vec![Violation { pointer, detail }],
        ..Error::new(
            Kind::Validation,
            "the body does not have the shape that this route expects",
        )
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
        pointer
    })
}
