//! What else the console takes in beside OTLP: Prometheus' remote write and scrape targets, Loki's push,
//! log files.
//!
//! No store and no HTTP server belong here: what is taken in is handed on as values.
