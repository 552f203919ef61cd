//! A client of server-sent events, as far as the API uses them.

use std::io::{BufRead, BufReader};

use serde_json::Value;
use ureq::BodyReader;

use super::Service;

/// One event of an order that is watched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub id: u64,
    pub name: String,
    pub data: Value,
}

/// An open stream.
pub(crate) struct Watch {
    lines: std::io::Lines<BufReader<BodyReader<'static>>>,
    pub content_type: String,
}

impl Watch {
    /// Begins to watch an order, after `last` if it is given.
    pub(crate) fn open(service: &Service, id: &str, last: Option<&str>) -> Self {
        let mut request = service.agent.get(format!("{}/api/orders/{id}/watch", service.url));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.call().unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        Self { lines: BufReader::new(response.into_body().into_reader()).lines(), content_type }
    }
}

impl Iterator for Watch {
    type Item = Event;

    /// The next event; `None` once the server has ended the stream in order.
    fn next(&mut self) -> Option<Event> {
        let (mut id, mut name, mut data) = (None, String::new(), None);
        loop {
            let line = self.lines.next()?.expect("the stream must end in order");
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => id = Some(value.parse().unwrap()),
                "event" => value.clone_into(&mut name),
                "data" => data = Some(serde_json::from_str(value).unwrap()),
                // The blank line ends an event; one without data was a sign of life.
                "" if line.is_empty() && data.is_some() => return Some(Event { id: id.unwrap(), name, data: data? }),
                _ => {}
            }
        }
    }
}
