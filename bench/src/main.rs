//! `make bench`: what highbeam reaches on this machine, next to what the machine itself and its peers
//! reach in the same run. Names given as arguments choose: fsync store umadb kurrentdb commands reads
//! replay engines telemetry cost outages start host console, of which there are parts: console-empty console-spans
//! console-lines console-samples console-queries console-promql console-logql console-full.
//!
//! Ratios are what counts: machines are shared, and absolute figures of two runs differ.

mod client;
mod commands;
mod console;
mod cost;
mod engines;
mod host;
mod kurrentdb;
mod limits;
mod orders;
mod outages;
mod reads;
mod replay;
mod server;
mod start;
mod store;
mod telemetry;
mod umadb;

/// What one measurement prints: a row of the table.
pub struct Row {
    pub what: String,
    pub rate: f64,
    pub unit: &'static str,
    pub detail: String,
}

impl Row {
    pub fn new(what: impl Into<String>, rate: f64, unit: &'static str, detail: impl Into<String>) -> Self {
        Self { what: what.into(), rate, unit, detail: detail.into() }
    }

    fn print(&self) {
        println!("{:<52} {:>12.0} {:<12} {}", self.what, self.rate, self.unit, self.detail);
    }
}

#[tokio::main]
async fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|choice| choice == name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, generator and server on the same ones");
    if wanted("fsync") {
        limits::fsync().iter().for_each(Row::print);
    }
    if wanted("store") {
        store::append().await.iter().for_each(Row::print);
    }
    if wanted("umadb") {
        umadb::append().iter().for_each(Row::print);
    }
    if wanted("kurrentdb") {
        kurrentdb::append().await.iter().for_each(Row::print);
    }
    if wanted("commands") {
        commands::create().await.iter().for_each(Row::print);
    }
    if wanted("reads") {
        reads::by_id().await.iter().for_each(Row::print);
    }
    if wanted("replay") {
        replay::into_read_model().await.iter().for_each(Row::print);
    }
    if wanted("engines") {
        engines::catch_up().await.iter().for_each(Row::print);
    }
    if wanted("telemetry") {
        telemetry::export().await.iter().for_each(Row::print);
    }
    if wanted("cost") {
        cost::of_telemetry().await.iter().for_each(Row::print);
    }
    if wanted("outages") {
        outages::of_the_collector().await.iter().for_each(Row::print);
    }
    if wanted("start") {
        start::ready_and_idle().await.iter().for_each(Row::print);
    }
    if wanted("host") {
        host::scrape().iter().for_each(Row::print);
    }
    let parts: Vec<&str> = console::PARTS.into_iter().filter(|part| wanted("console") || wanted(part)).collect();
    if !parts.is_empty() {
        console::beside_its_peers(&parts).await;
    }
}
