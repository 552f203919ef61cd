//! Running the program: who may look after projections, rebuilding them, starting again, starting twice,
//! and being told what is wrong before anything goes wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::problem::check;
use support::{Service, binary, order, wait_for, wire};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn admin(service: &Service, headers: &str) -> u16 {
    let request = format!("GET /admin/projections HTTP/1.1\r\n{headers}\r\n");
    wire::exchange(&mut wire::connect(&service.url), request.as_bytes()).status
}

#[test]
fn the_admin_routes_are_for_this_machine_and_not_for_pages_in_its_browser() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    assert_eq!(admin(&service, "host: localhost:5007\r\n"), 200);
    assert_eq!(admin(&service, "host: 127.0.0.1\r\norigin: http://localhost:5017\r\n"), 200);
    for foreign in [
        "host: evil.example\r\n",
        "host: localhost.evil.example\r\n",
        "host: localhost\r\norigin: https://evil.example\r\n",
        "host: localhost\r\norigin: null\r\n",
        "host: localhost\r\nx-forwarded-for: 192.0.2.1\r\n",
    ] {
        assert_eq!(admin(&service, foreign), 403, "{foreign}");
    }
    let path = "/admin/projections/orders/rebuild";
    let answer = service.send("POST", path, &[("origin", "https://evil.example")], None);
    check(&answer, 403, "forbidden", path);
}

#[test]
fn the_token_opens_the_admin_routes_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let token = "0123456789abcdef";
    let service = Service::start(folder.path(), &["up", "--no-traffic", "--admin-token", token]);
    let forwarded = "host: shop.example\r\nx-forwarded-for: 192.0.2.1\r\n";
    assert_eq!(admin(&service, forwarded), 401);
    assert_eq!(admin(&service, &format!("{forwarded}authorization: Bearer {token}\r\n")), 200);
    assert_eq!(admin(&service, &format!("{forwarded}authorization: Bearer {token}0\r\n")), 401);
    assert!(!std::fs::read_to_string(folder.path().join("log")).unwrap().contains(token), "a secret is not logged");
}

#[test]
fn an_unknown_projection_or_event_is_404() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    for (method, path) in [
        ("POST", "/admin/projections/nobody/rebuild"),
        ("POST", "/admin/projections/nobody/promote"),
        ("POST", "/admin/projections/nobody/discard"),
        ("GET", "/admin/projections/nobody/parked"),
        ("POST", "/admin/projections/orders/parked/7/replay"),
        ("POST", "/admin/projections/orders/parked/7/skip"),
    ] {
        check(&service.send(method, path, &[], None), 404, "not-found", path);
    }
    for path in ["/admin/projections/orders/promote", "/admin/projections/orders/discard"] {
        check(&service.send("POST", path, &[], None), 409, "projection-state", path);
    }
    for path in ["/admin/projections/orders/parked/x/skip", "/admin/projections/orders/parked/-1/replay"] {
        check(&service.send("POST", path, &[], None), 400, "invalid-parameter", path);
    }
    let path = "/admin/projections/orders/rebuild";
    check(&service.send("POST", &format!("{path}?promote=maybe"), &[], None), 400, "invalid-parameter", path);
    let path = "/admin/projections/%FF/promote";
    check(&service.send("POST", path, &[], None), 400, "invalid-parameter", path);
}

fn projection(service: &Service, name: &str) -> Value {
    let list = service.get("/admin/projections").expect(200).json();
    list["projections"].as_array().unwrap().iter().find(|projection| projection["name"] == name).unwrap().clone()
}

#[test]
fn a_rebuild_becomes_live_while_writes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let mut written: Vec<String> = (0..100).map(|index| service.create(&order(&index.to_string()))).collect();
    for name in ["orders", "search"] {
        let before = projection(&service, name)["generations"][0]["generation"].as_u64().unwrap();
        let begun = service.send("POST", &format!("/admin/projections/{name}/rebuild"), &[], None).expect(202).json();
        assert_eq!(begun["generation"], json!(before + 1));
        wait_for(|| {
            written.push(service.create(&order("while it is rebuilt")));
            let projection = projection(&service, name);
            let generations = projection["generations"].as_array().unwrap();
            let live = generations.iter().find(|generation| generation["state"] == "live").unwrap();
            (live["generation"] == json!(before + 1)).then_some(())
        });
    }
    let last = service.command("POST", "/api/orders", Some(&order("last"))).expect(201);
    let reached = format!("minPosition={}&waitMs=10000", last.position());
    let found = service.get(&format!("/api/orders/search?{reached}")).expect(200).json();
    assert_eq!(
        found["pagination"]["totalCount"],
        json!(written.len() + 1),
        "nothing is missing, nothing is there twice"
    );
    for name in ["orders", "search"] {
        let live = &projection(&service, name)["generations"][0];
        assert_eq!((&live["orders"], &live["parked"]), (&json!(written.len() + 1), &json!(0)), "{name}");
    }
}

#[test]
fn a_rebuild_can_wait_for_its_promotion_or_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    service.create(&order("1"));
    let post = |what: &str| service.send("POST", &format!("/admin/projections/orders/{what}"), &[], None);
    post("rebuild?promote=manual").expect(202);
    check(&post("rebuild"), 409, "projection-state", "/admin/projections/orders/rebuild");
    post("discard").expect(200);
    assert_eq!(projection(&service, "orders")["generations"].as_array().unwrap().len(), 1);
    let second = post("rebuild?promote=manual").expect(202).json();
    let promoted = wait_for(|| Some(post("promote")).filter(|answer| answer.status != 409)).expect(200).json();
    assert_eq!(promoted, second);
    let live = &projection(&service, "orders")["generations"][0];
    assert_eq!((&live["generation"], &live["orders"]), (&second["generation"], &json!(1)));
}

#[test]
fn a_second_start_finds_what_the_first_left() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let orders: Vec<String> = (0..20).map(|index| service.create(&order(&index.to_string()))).collect();
    assert_eq!(service.stop().code(), Some(0));
    for _ in 0..3 {
        let service = Service::up(folder.path());
        for (index, id) in orders.iter().enumerate() {
            let read = service.get(&format!("/api/orders/{id}")).expect(200);
            assert_eq!(read.json()["deliveryAddress"], json!(index.to_string()));
        }
        let found = service.get("/api/orders/search?search=tea&minPosition=20&waitMs=10000").expect(200).json();
        assert_eq!(found["pagination"]["totalCount"], 20);
        assert_eq!(service.stop().code(), Some(0));
    }
}

fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    binary().args(arguments).args(["--port", "0", "--data-dir"]).arg(data_dir).output().unwrap()
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    for (arguments, reason) in [
        (&["up", "--no-traffic"][..], "in use by another process"),
        (&["up", "--no-traffic", "--no-console"], "another process runs the projection orders on this data"),
    ] {
        let second = run(folder.path(), arguments);
        let complaint = text(&second.stderr);
        assert_eq!(second.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains(reason), "{complaint}");
        assert!(complaint.contains("DATA_DIR"), "and what to do: {complaint}");
    }
    service.create(&order("the first one does not mind"));
}

#[test]
fn every_wrong_setting_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary();
    command.args(["up", "--bind-address", "localhost!", "--data-dir"]).arg(folder.path());
    command.env("PORT", "70000").env("LOGGER_LEVEL", "loud").env("ADMIN_TOKEN", "s3cret");
    command.env("EVENTSTORE_CONFIG_CONNECTION_STRING", "esdb://admin:s3cret@host:port");
    let output = command.env("RATE_LIMIT_PER_SECOND", "many").output().unwrap();
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    for name in [
        "PORT",
        "BIND_ADDRESS",
        "LOGGER_LEVEL",
        "ADMIN_TOKEN",
        "EVENTSTORE_CONFIG_CONNECTION_STRING",
        "RATE_LIMIT_PER_SECOND",
    ] {
        let line =
            complaint.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {complaint}"));
        assert!(line.contains(&format!("for example {name}=")), "{line}");
    }
    assert!(!complaint.contains("s3cret"), "{complaint}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

/// Runs the doctor; its lines, and its exit status.
fn doctor(data_dir: &Path, port: &str) -> (String, Option<i32>) {
    let output = binary().args(["check", "--port", port, "--data-dir"]).arg(data_dir).output().unwrap();
    (text(&output.stdout), output.status.code())
}

#[track_caller]
fn line<'a>(lines: &'a str, subject: &str) -> &'a str {
    let of_subject = |line: &&str| line.get(5..).is_some_and(|line| line.starts_with(subject));
    lines.lines().find(of_subject).unwrap_or_else(|| panic!("{subject}: {lines}"))
}

#[test]
fn the_doctor_finds_a_healthy_place_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, code) = doctor(&folder.path().join("new"), "0");
    assert_eq!(code, Some(0), "{lines}");
    assert!(lines.lines().all(|line| line.starts_with("ok ")), "{lines}");
    assert!(!folder.path().join("new").exists(), "looking changes nothing");
    let service = Service::up(folder.path());
    service.create(&order("1"));
    assert_eq!(doctor(folder.path(), "0").1, Some(0), "beside a running process");
    assert!(service.stop().success());
    let (lines, code) = doctor(folder.path(), "0");
    assert_eq!(code, Some(0), "{lines}");
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.db"), "not a database, but somebody's diary").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (lines, code) = doctor(folder.path(), &taken.local_addr().unwrap().port().to_string());
    assert_eq!(code, Some(1), "{lines}");
    let (store, port) = (line(&lines, "event store"), line(&lines, "port"));
    assert!(store.starts_with("FAIL") && store.contains("events.db"), "{store}");
    assert!(port.starts_with("FAIL") && port.contains("set PORT"), "{port}");
    assert!(line(&lines, "data folder").starts_with("ok"), "{lines}");
    assert_eq!(std::fs::read(folder.path().join("events.db")).unwrap(), b"not a database, but somebody's diary");

    let output = run(folder.path(), &["up", "--no-traffic"]);
    let complaint = text(&output.stderr);
    assert!(output.status.code() == Some(1) && complaint.contains("events.db"), "a start says the same: {complaint}");
}

#[test]
fn the_doctor_notices_a_folder_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (lines, code) = doctor(&file, "0");
    assert!(line(&lines, "data folder").starts_with("FAIL"), "{lines}");
    assert_eq!(code, Some(1), "{lines}");
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    // Whoever may write anywhere cannot show this.
    if std::fs::write(locked.join("probe"), "").is_err() {
        let (lines, code) = doctor(&locked, "0");
        assert!(line(&lines, "data folder").contains("cannot be written to"), "{lines}");
        assert_eq!(code, Some(1), "{lines}");
    }
}

/// Asks for health as a container engine does: the exit status, and the one line that is told.
fn health(environment: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let output = binary().envs(environment.iter().copied()).arg("health").args(arguments).output().unwrap();
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(told.lines().count(), 1, "one line: {told}");
    (output.status.code(), told)
}

#[test]
fn a_health_check_finds_the_process_by_its_settings_and_notices_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let port = service.url.rsplit(':').next().unwrap().to_owned();
    // As in a container: all addresses to listen on, one of them to ask.
    let environment = [("PORT", port.as_str()), ("BIND_ADDRESS", "0.0.0.0")];
    assert_eq!(health(&environment, &[]), (Some(0), format!("http://127.0.0.1:{port} lives\n")));
    let (code, told) = health(&environment, &["--ready"]);
    assert!(code == Some(0) && told.contains("is ready"), "{told}");
    assert!(service.stop().success());
    let (code, told) = health(&environment, &[]);
    assert!(code == Some(1) && told.contains("does not answer"), "{told}");
}

#[test]
fn a_console_alone_is_asked_at_its_own_port() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::console(folder.path(), &[]);
    let console = service.url.rsplit(':').next().unwrap().to_owned();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let environment = [("PORT", free.as_str()), ("CONSOLE_PORT", console.as_str())];
    for arguments in [&[][..], &["--ready", "--url", &service.url]] {
        let (code, told) = health(&environment, arguments);
        assert!(code == Some(0) && told.contains(&service.url), "{told}");
    }
    let (code, told) = health(&environment, &["--ready"]);
    assert!(code == Some(1) && told.contains(&free), "it is not the order service that is ready: {told}");
}

#[test]
fn a_process_without_its_event_store_lives_and_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("esdb://{gone}?tls=false");
    let environment = [("EVENTSTORE_CONFIG_CONNECTION_STRING", url.as_str())];
    let service = Service::begin_in(&environment, folder.path(), &["serve", "--role", "api"]);
    assert_eq!(health(&[], &["--url", &service.url]).0, Some(0));
    let (code, told) = health(&[], &["--ready", "--url", &service.url]);
    assert!(code == Some(1) && told.contains("is not ready: event store unavailable"), "{told}");
}

#[test]
fn a_health_check_does_not_wait_for_a_process_that_hangs() {
    let hung = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hung.local_addr().unwrap().port().to_string();
    let began = Instant::now();
    let (code, told) = health(&[("PORT", &port)], &["--timeout", "1"]);
    assert!(code == Some(1) && told.contains("within 1 s"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let (code, told) = health(&[("PORT", "0")], &[]);
    assert!(code == Some(1) && told.contains("--url"), "{told}");
    let (code, told) = health(&[("PORT", "x"), ("RATE_LIMIT_BURST", "x")], &[]);
    assert!(code == Some(1) && told.contains("RATE_LIMIT_BURST"), "{told}");
}
