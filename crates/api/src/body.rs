//! Reads a JSON body within its limit, and says precisely what is wrong with it, without repeating what
//! it holds.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use delivery::models::Violation;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use crate::error::{Error, Kind};

/// Reads the body of a request; 415 unless it is announced as JSON, 413 beyond `limit` bytes.
pub(crate) async fn read(request: Request<Body>, limit: usize) -> Result<Bytes, Error> {
    check_type(request.headers())?;
    read_any(request, limit).await
}

/// Reads the body of a request whose content does not matter.
pub(crate) async fn read_any(request: Request<Body>, limit: usize) -> Result<Bytes, Error> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || Error::new(Kind::BodyTooLarge, format!("a body may have at most {limit} bytes"));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    to_bytes(request.into_body(), limit).await.map_err(|error| {
        let is_limit = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
        if is_limit { too_large() } else { Error::new(Kind::MalformedJson, "the body ended before it was complete") }
    })
}

fn check_type(headers: &HeaderMap) -> Result<(), Error> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    Err(Error::new(Kind::UnsupportedMediaType, "send the header Content-Type: application/json"))
}

/// Reads a JSON object of a known shape: 400 when it is not JSON, 422 with the place when it has another
/// shape.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    match serde_json::from_slice(bytes) {
        Ok(Object(value)) => Ok(value),
        // A wrong shape is found before the rest is read, which may not even be JSON.
        Err(error) if error.classify() == Category::Data => match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Err(misshapen::<T>(bytes)),
            Err(error) => Err(malformed(&error)),
        },
        Err(error) => Err(malformed(&error)),
    }
}

fn malformed(error: &serde_json::Error) -> Error {
    let place = format!("the body stops being JSON at line {} column {}", error.line(), error.column());
    Error::new(Kind::MalformedJson, place)
}

/// A value that comes from a JSON object. serde would also take an array, field by field, in an order
/// that nobody promised.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Reads once more, slowly, to find the place.
fn misshapen<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Error {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let (pointer, text) = match serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer) {
        Ok(_) => (String::new(), String::new()),
        Err(error) => (pointer(error.path()), error.inner().to_string()),
    };
    let field = |rest: &str| rest.split_once('`').map(|(field, _)| field.to_owned());
    let (pointer, detail) = if let Some(field) = text.strip_prefix("missing field `").and_then(field) {
        (format!("{pointer}/{field}"), "must be there")
    } else if let Some(field) = text.strip_prefix("duplicate field `").and_then(field) {
        (format!("{pointer}/{field}"), "must be there only once")
    } else {
        (pointer, expected(&text))
    };
    Error {
        violations: vec![Violation { pointer, detail: detail.to_owned() }],
        ..Error::new(Kind::Validation, "the body does not have the shape that this route expects")
    }
}

/// What would be right. serde's own words quote the value and speak Rust, so only known endings count.
fn expected(text: &str) -> &'static str {
    let known = [
        ("a string", "must be a string"),
        ("i64", "must be a whole number"),
        ("a sequence", "must be an array"),
        ("an object", "must be an object"),
    ];
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let ends = |(ending, _): &&(&str, &str)| text.strip_suffix(ending).is_some_and(|rest| rest.ends_with("expected "));
    known.iter().find(ends).map_or("must be of another type", |(_, detail)| detail)
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
