//! Three designs for spans and lines, each taking the same batches: the store as it is, rows in SQLite, keys
//! in an LSM tree (fjall). All bring what they took to the disk once in half a second.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use console_model::{LogBatch, SpanBatch, TraceId};
use console_storage::{Direction, LogQuery, Options, Store};

pub trait Design {
    fn name(&self) -> &'static str;
    fn spans(&mut self, batch: &SpanBatch);
    fn lines(&mut self, batch: &LogBatch);
    /// Called after each batch; brings things to the disk when it is time.
    fn tick(&mut self);
    fn finish(&mut self);
    fn trace(&mut self, id: TraceId) -> usize;
    fn grep(&mut self, needle: &str) -> usize;
}

pub struct Segments(pub Store);

impl Segments {
    pub fn open(path: &Path) -> Self {
        let options = Options { limit_bytes: 16 << 30, retention_age: Duration::ZERO, ..Options::default() };
        Self(Store::open(path, options, Arc::new(eventsourcing::clock::System)).expect("opens"))
    }
}

impl Design for Segments {
    fn name(&self) -> &'static str {
        "segments"
    }
    fn spans(&mut self, batch: &SpanBatch) {
        self.0.ingest_spans(batch).expect("taken");
    }
    fn lines(&mut self, batch: &LogBatch) {
        self.0.ingest_logs(batch).expect("taken");
    }
    fn tick(&mut self) {}
    fn finish(&mut self) {
        self.0.flush().expect("flushed");
    }
    fn trace(&mut self, id: TraceId) -> usize {
        self.0.trace(id).expect("read").batch.len()
    }
    fn grep(&mut self, needle: &str) -> usize {
        let query = LogQuery { contains: vec![needle.into()], ..LogQuery::default() };
        self.0.log_blocks(query, Direction::Forward).expect("read").map(|block| block.expect("read").rows().len()).sum()
    }
}

/// A span's details as bytes, for the designs that keep rows.
fn body(span: &console_model::Span, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&span.end_ns.to_le_bytes());
    out.extend_from_slice(&span.parent_span_id.map_or(0, |id| id.get()).to_le_bytes());
    out.push(span.kind.number());
    for attribute in &span.attributes {
        let value = attribute.value.to_string();
        out.push(attribute.key.len() as u8);
        out.extend_from_slice(attribute.key.as_bytes());
        out.extend_from_slice(&(value.len() as u16).to_le_bytes());
        out.extend_from_slice(value.as_bytes());
    }
}

pub struct Sqlite {
    connection: rusqlite::Connection,
    began: Option<Instant>,
    scratch: Vec<u8>,
}

impl Sqlite {
    pub fn open(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path.join("store.db")).expect("opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-64000;
                 CREATE TABLE span(trace BLOB, span INTEGER, service TEXT, name TEXT, start INTEGER, duration INTEGER, body BLOB);
                 CREATE INDEX span_trace ON span(trace); CREATE INDEX span_service ON span(service, start);
                 CREATE TABLE line(stream TEXT, time INTEGER, trace BLOB, text TEXT);
                 CREATE INDEX line_time ON line(stream, time);",
            )
            .expect("made");
        Self { connection, began: None, scratch: Vec::new() }
    }

    fn begin(&mut self) {
        if self.began.is_none() {
            self.connection.execute_batch("BEGIN").expect("begins");
            self.began = Some(Instant::now());
        }
    }
}

impl Design for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }
    fn spans(&mut self, batch: &SpanBatch) {
        self.begin();
        let mut insert = self.connection.prepare_cached("INSERT INTO span VALUES(?,?,?,?,?,?,?)").expect("prepared");
        for group in &batch.groups {
            for span in &group.spans {
                body(span, &mut self.scratch);
                insert
                    .execute(rusqlite::params![
                        span.trace_id.to_bytes(),
                        span.span_id.get() as i64,
                        group.resource.service(),
                        span.name.as_str(),
                        span.start_ns as i64,
                        span.duration_ns() as i64,
                        self.scratch
                    ])
                    .expect("inserted");
            }
        }
    }
    fn lines(&mut self, batch: &LogBatch) {
        self.begin();
        let mut insert = self.connection.prepare_cached("INSERT INTO line VALUES(?,?,?,?)").expect("prepared");
        for group in &batch.groups {
            for record in &group.records {
                let trace = record.trace_id.map(|id| id.to_bytes());
                let values = rusqlite::params!["orders-api", record.time_ns as i64, trace, record.body.as_str()];
                insert.execute(values).expect("inserted");
            }
        }
    }
    fn tick(&mut self) {
        if self.began.is_some_and(|began| began.elapsed() > Duration::from_millis(500)) {
            self.finish();
        }
    }
    fn finish(&mut self) {
        if self.began.take().is_some() {
            self.connection.execute_batch("COMMIT").expect("commits");
        }
    }
    fn trace(&mut self, id: TraceId) -> usize {
        let mut select = self.connection.prepare_cached("SELECT span, body FROM span WHERE trace=?").expect("prepared");
        let rows = select.query_map([id.to_bytes()], |row| row.get::<_, Vec<u8>>(1)).expect("read");
        rows.filter(|row| row.as_ref().is_ok_and(|body| !body.is_empty())).count()
    }
    fn grep(&mut self, needle: &str) -> usize {
        let mut select =
            self.connection.prepare_cached("SELECT count(*) FROM line WHERE instr(text, ?)>0").expect("prepared");
        select.query_row([needle], |row| row.get::<_, i64>(0)).expect("read") as usize
    }
}

pub struct Fjall {
    database: fjall::Database,
    spans: fjall::Keyspace,
    starts: fjall::Keyspace,
    lines: fjall::Keyspace,
    last: Instant,
    sequence: u64,
    scratch: Vec<u8>,
}

impl Fjall {
    pub fn open(path: &Path) -> Self {
        let database = fjall::Database::builder(path.join("fjall")).open().expect("opens");
        let keyspace = |name: &str| database.keyspace(name, fjall::KeyspaceCreateOptions::default).expect("opens");
        let (spans, starts, lines) = (keyspace("spans"), keyspace("starts"), keyspace("lines"));
        Self { database, spans, starts, lines, last: Instant::now(), sequence: 0, scratch: Vec::new() }
    }
}

impl Design for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }
    fn spans(&mut self, batch: &SpanBatch) {
        let mut write = self.database.batch();
        for group in &batch.groups {
            for span in &group.spans {
                body(span, &mut self.scratch);
                let mut key = span.trace_id.to_bytes().to_vec();
                key.extend_from_slice(&span.span_id.to_bytes());
                write.insert(&self.spans, key, self.scratch.as_slice());
                let mut key = group.resource.service().as_bytes().to_vec();
                key.extend_from_slice(&span.start_ns.to_be_bytes());
                key.extend_from_slice(&span.span_id.to_bytes());
                write.insert(&self.starts, key, span.trace_id.to_bytes());
            }
        }
        write.commit().expect("taken");
    }
    fn lines(&mut self, batch: &LogBatch) {
        let mut write = self.database.batch();
        for record in batch.groups.iter().flat_map(|group| &group.records) {
            self.sequence += 1;
            let mut key = b"orders-api".to_vec();
            key.extend_from_slice(&record.time_ns.to_be_bytes());
            key.extend_from_slice(&self.sequence.to_be_bytes());
            write.insert(&self.lines, key, record.body.as_str().unwrap_or_default());
        }
        write.commit().expect("taken");
    }
    fn tick(&mut self) {
        if self.last.elapsed() > Duration::from_millis(500) {
            self.finish();
            self.last = Instant::now();
        }
    }
    fn finish(&mut self) {
        self.database.persist(fjall::PersistMode::SyncData).expect("synced");
    }
    fn trace(&mut self, id: TraceId) -> usize {
        self.spans
            .prefix(id.to_bytes())
            .filter(|_| true)
            .map(|guard| guard.value().expect("read").len())
            .filter(|it| *it > 0)
            .count()
    }
    fn grep(&mut self, needle: &str) -> usize {
        let all = self.lines.iter().map(|guard| guard.value().expect("read"));
        all.filter(|line| std::str::from_utf8(line).is_ok_and(|line| line.contains(needle))).count()
    }
}
