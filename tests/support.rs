//! Starts the real program on a folder and free ports, and talks to it over HTTP. Holds no assertion
//! about orders: those are in the tests.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod collector;
pub(crate) mod mount;
pub(crate) mod problem;
pub(crate) mod registry;
pub(crate) mod watch;
pub(crate) mod wire;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take on a machine that does other things as well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running `highbeam`; killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub url: String,
    /// What the ready file says.
    pub ready: Value,
    pub agent: ureq::Agent,
}

/// An answer, read to its end, whatever its bytes are.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}: {}", self.headers, self.text());
        self
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The revision in the `ETag`.
    pub(crate) fn revision(&self) -> u64 {
        let tag = self.header("etag").unwrap_or_else(|| panic!("no etag: {self:?}"));
        tag.trim_matches('"').parse().unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn position(&self) -> &str {
        self.header("x-position").unwrap_or_else(|| panic!("no position: {self:?}"))
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highbeam"));
    command.env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null());
    // Free ports, so that tests run side by side.
    for port in ["CONSOLE_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"] {
        command.env(port, "0");
    }
    command
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        // A connection of its own for each request: where one is refused before its body has arrived, the server ends
        // the connection behind its answer, and this client does not ask again on another as browsers do.
        .max_idle_connections(0)
        .build()
        .into()
}

impl Service {
    /// Everything in one process, without demo traffic.
    pub(crate) fn up(data_dir: &Path) -> Self {
        Self::start(data_dir, &["up", "--no-traffic"])
    }

    /// Starts with these arguments and waits until it is ready. The log goes to `log` in the folder.
    pub(crate) fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_in(&[], data_dir, arguments)
    }

    /// As [`Service::start`], with these variables in its environment.
    pub(crate) fn start_in(environment: &[(&str, &str)], data_dir: &Path, arguments: &[&str]) -> Self {
        let role = arguments.join("-").replace(['/', ':'], "_");
        let ready = data_dir.join(format!("{role}.ready.json"));
        let _ = std::fs::remove_file(&ready);
        let mut child = spawn(environment, data_dir, arguments, &ready);
        let ready = wait_for(|| {
            must_run(&mut child, data_dir);
            let ready: Value = serde_json::from_slice(&std::fs::read(&ready).ok()?).ok()?;
            (ready["api"].is_string() || ready["console"].is_string()).then_some(ready)
        });
        let url = ready["api"].as_str().or(ready["console"].as_str()).unwrap_or_default().to_owned();
        Self { child, url, ready, agent: agent() }
    }

    /// As [`Service::start_in`] in a folder of its own, but waits only until it listens: what it needs may not be
    /// there yet.
    pub(crate) fn begin_in(environment: &[(&str, &str)], data_dir: &Path, arguments: &[&str]) -> Self {
        let mut child = spawn(environment, data_dir, arguments, &data_dir.join("ready.json"));
        let url = wait_for(|| {
            must_run(&mut child, data_dir);
            let line = log_lines(data_dir).into_iter().find(|line| line["message"] == "listening")?;
            Some(line["url"].as_str().unwrap().to_owned())
        });
        Self { child, url, ready: Value::Null, agent: agent() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The console alone, with these further arguments.
    pub(crate) fn console(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start(data_dir, &[&["console"], arguments].concat())
    }

    /// The console's own URL, or that of one of its ports, by its name in the ready file.
    pub(crate) fn address(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.ready))
    }

    /// Sends bytes to the console's own port.
    pub(crate) fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let url = format!("{}{path}", self.address("console"));
        send_bytes(&self.agent, "POST", &url, headers, Some(body)).unwrap()
    }

    /// An answer of the console, as large as it may be.
    pub(crate) fn fetch(&self, path: &str) -> Reply {
        send_bytes(&self.agent, "GET", &format!("{}{path}", self.address("console")), &[], None).unwrap()
    }

    /// What the console gives back: whole, or the test fails.
    pub(crate) fn export(&self, selection: &str) -> Value {
        let reply = self.fetch(&format!("/api/export?{selection}")).expect(200);
        assert_eq!(reply.header("x-truncated"), None, "{selection}");
        reply.json()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        send(&self.agent, &self.url, "GET", path, &[], None).unwrap()
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        send(&self.agent, &self.url, method, path, headers, body).unwrap()
    }

    pub(crate) fn command(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send(method, path, &[], body)
    }

    /// Creates an order and returns its id.
    pub(crate) fn create(&self, order: &Value) -> String {
        self.command("POST", "/api/orders", Some(order)).expect(201).json().as_str().unwrap().to_owned()
    }

    /// SIGKILL: no chance to flush anything.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        wait_for(|| self.child.try_wait().unwrap())
    }

    /// The most memory that was ever resident, in bytes.
    pub(crate) fn resident_max(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

fn spawn(environment: &[(&str, &str)], data_dir: &Path, arguments: &[&str], ready: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(data_dir.join("log")).unwrap();
    let mut command = binary();
    command.envs(environment.iter().copied()).args(arguments).args(["--port", "0", "--data-dir"]).arg(data_dir);
    command.arg("--ready-file").arg(ready).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn must_run(child: &mut Child, data_dir: &Path) {
    if let Some(status) = child.try_wait().unwrap() {
        panic!("ended before it was ready ({status}): {}", tail(&data_dir.join("log")));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One request; `Err` when the connection failed, so that it is unknown what became of it.
pub(crate) fn send(
    agent: &ureq::Agent,
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer, ureq::Error> {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => {
            let request = request.header("content-type", "application/json").body(body.to_string()).unwrap();
            agent.run(request)?
        }
        None => agent.run(request.body(()).unwrap())?,
    };
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    Ok(Answer { status: response.status().as_u16(), headers, body: response.body_mut().read_to_string()? })
}

/// One request with a body of any bytes; `Err` when the connection failed.
pub(crate) fn send_bytes(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<Reply, ureq::Error> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => agent.run(request.body(body).unwrap())?,
        None => agent.run(request.body(()).unwrap())?,
    };
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
    Ok(Reply { status: response.status().as_u16(), headers, body })
}

/// Asks until there is an answer; fails after [`PATIENCE`].
pub(crate) fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The log of what was started in this folder, as far as its lines are written to their ends.
pub(crate) fn log_lines(folder: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// An order whose address is unlike any other's.
pub(crate) fn order(address: &str) -> Value {
    json!({
        "shopItems": [
            { "id": "1", "title": "Green tea", "description": "Loose leaf", "quantity": 2, "price": 12.5 },
            { "id": "2", "title": "Teapot", "description": "Cast iron, black", "quantity": 1, "price": 34.99 }
        ],
        "accountEmail": "jane@example.com",
        "deliveryAddress": address
    })
}

fn tail(path: &PathBuf) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().rev().take(10).collect::<Vec<_>>().join("\n")
}
