//! The JSON of Loki's push: which member holds what. Read in one pass, without a tree in between. What is
//! done with it is not here.

use std::borrow::Cow;
use std::fmt;

use console_model::LogRecord;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Decoded;
use super::request::{Entry, Request};

/// Says that a body is no JSON, or not that of a push.
#[derive(Debug, thiserror::Error)]
#[error(
    "the body is no push of Loki, as in {{\"streams\":[{{\"stream\":{{\"app\":\"api\"}},\"values\":[[\"1700000000000000000\",\"a line\"]]}}]}}: {0}"
)]
pub struct MalformedJson(serde_json::Error);

/// Reads a request in JSON. An error means that the text is no such JSON and that nothing was taken.
/// `arrival_ns` is the time of arrival, nanoseconds since the Unix epoch.
pub fn decode_json(bytes: &[u8], arrival_ns: u64) -> Result<Decoded, MalformedJson> {
    let mut request = Request::new(arrival_ns);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Body(&mut request).deserialize(&mut deserializer).map_err(MalformedJson)?;
    deserializer.end().map_err(MalformedJson)?;
    Ok(request.finish())
}

/// A visitor that is its own seed: most of what is read here is read for its effect on the request.
macro_rules! seed {
    ($seed:ident, $kind:ident) => {
        impl<'de> DeserializeSeed<'de> for $seed<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.$kind(self)
            }
        }
    };
}

/// Scalars where something else has to be: noted, not an error, for the rest of the body is well.
macro_rules! not_scalars {
    ($fault:ident: $($visit:ident $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<(), E> {
            self.0.fault = Some($fault);
            Ok(())
        })*
    };
}

struct Body<'r>(&'r mut Request);
struct Streams<'r>(&'r mut Request);
struct Stream<'r>(&'r mut Request);
struct Values<'r>(&'r mut Request, &'r mut Vec<LogRecord>);
struct OneValue<'r>(&'r mut Entry);
struct Metadata<'r>(&'r mut Entry);

seed!(Body, deserialize_map);
seed!(Streams, deserialize_seq);
seed!(Stream, deserialize_map);
seed!(Values, deserialize_seq);
seed!(OneValue, deserialize_any);
seed!(Metadata, deserialize_any);

impl<'de> Visitor<'de> for Body<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with streams")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Name<'de>>()? {
            if key.0 == "streams" {
                map.next_value_seed(Streams(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Streams<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of streams")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut streams: A) -> Result<(), A::Error> {
        while streams.next_element_seed(Stream(self.0))?.is_some() {}
        Ok(())
    }
}

impl<'de> Visitor<'de> for Stream<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with stream and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut labels = Ok(Vec::new());
        let mut records = Vec::new();
        while let Some(key) = map.next_key::<Name<'de>>()? {
            match key.0.as_ref() {
                "stream" => labels = map.next_value::<Pairs<'de>>()?.0,
                "values" => map.next_value_seed(Values(self.0, &mut records))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match labels {
            Ok(pairs) => self.0.stream(Ok(&pairs), records),
            Err(reason) => self.0.stream::<String>(Err(reason), records),
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries, each a list of a timestamp and a line")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        loop {
            let mut entry = Entry::default();
            if values.next_element_seed(OneValue(&mut entry))?.is_none() {
                return Ok(());
            }
            self.0.entry(entry, self.1);
        }
    }
}

const NO_ENTRY: &str = "is no list of a timestamp and a line";

impl<'de> Visitor<'de> for OneValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a timestamp and a line")
    }

    not_scalars!(NO_ENTRY: visit_str &str, visit_u64 u64, visit_i64 i64, visit_f64 f64, visit_bool bool);

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        let entry = self.0;
        match parts.next_element::<Scalar<'de>>()? {
            Some(Scalar::Text(text)) => entry.time_ns = text.parse().ok(),
            Some(Scalar::Number(number)) => entry.time_ns = Some(number),
            _ => {}
        }
        if entry.time_ns.is_none() {
            entry.fault = Some("has no timestamp in nanoseconds since 1970, as \"1700000000000000000\" is");
        }
        match parts.next_element::<Scalar<'de>>()? {
            Some(Scalar::Text(text)) => entry.line = Some(text.into()),
            _ => entry.fault = entry.fault.or(Some("has no line of text")),
        }
        parts.next_element_seed(Metadata(entry))?;
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.0.fault = Some(NO_ENTRY);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.fault = Some(NO_ENTRY);
        Ok(())
    }
}

const NO_METADATA: &str = "has structured metadata that is no object of texts, as {\"trace_id\":\"…\"} is";

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    not_scalars!(NO_METADATA: visit_str &str, visit_u64 u64, visit_i64 i64, visit_f64 f64, visit_bool bool);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<Name<'de>, Scalar<'de>>()? {
            match value {
                Scalar::Text(value) => self.0.push(&name.0, &value),
                _ => self.0.fault = Some(NO_METADATA),
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        self.0.fault = Some(NO_METADATA);
        Ok(())
    }
}

/// A text, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text, a number of nanoseconds, or something that is neither and of which nothing is kept.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Other,
}

impl<'de> serde::Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneScalar;

        impl<'de> Visitor<'de> for OneScalar {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
                while parts.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }

        deserializer.deserialize_any(OneScalar)
    }
}

/// The labels of a stream, or what is wrong with them.
struct Pairs<'a>(Result<Vec<Pair<'a>>, String>);

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllPairs;

        impl<'de> Visitor<'de> for AllPairs {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Ok(Vec::new());
                while let Some((name, value)) = map.next_entry::<Name<'de>, Scalar<'de>>()? {
                    match (value, &mut pairs) {
                        (Scalar::Text(value), Ok(pairs)) => pairs.push((name.0, value)),
                        (_, Err(_)) => {}
                        _ => pairs = Err(format!("the label {:?} of a stream is no text", name.0)),
                    }
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(AllPairs)
    }
}
