//! The running program on the engines that variables of the environment name, and what it does when they
//! are down, cut off, hung, slow or broken, and come back. Without the variables these tests say that they
//! are skipped; the scripts in `tests/engines` start engines and set them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what was seen goes with the test")]

#[path = "engines/ledger.rs"]
mod ledger;
#[path = "engines/side.rs"]
mod side;
mod support;

use std::time::{Duration, Instant};

use contract_tests::chaos::{Fault, Proxy};
use ledger::Ledger;
use serde_json::{Value, json};
use side::Side;
use support::{Answer, Service, binary, order, wait_for};

/// How long a request may take, in seconds.
const DEADLINE: &str = "8";
/// The same, with something for a machine that does other things as well.
const DEADLINE_AND_SOME: Duration = Duration::from_secs(9);
/// How long each fault is watched at least.
const WATCHED: Duration = Duration::from_secs(4);

fn run(side: &Side, folder: &std::path::Path, arguments: &[&str]) -> Service {
    let environment = [side.environment(), vec![("REQUEST_TIMEOUT_SECONDS", DEADLINE)]].concat();
    Service::begin_in(&environment, folder, &[&["up", "--no-traffic", "--no-console"], arguments].concat())
}

fn projection(service: &Service, name: &str) -> Value {
    let list = service.get("/admin/projections").expect(200).json();
    list["projections"].as_array().unwrap().iter().find(|projection| projection["name"] == name).unwrap().clone()
}

/// An order goes through, is read, and is there after its side was rebuilt; the doctor is content.
fn serves(side: &Side) {
    let folder = tempfile::tempdir().unwrap();
    let doctor = binary()
        .envs(side.environment())
        .args(["check", "--port", "0", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.status.success(), "{told}");
    let line = told.lines().find(|line| line.contains(side.engine)).unwrap();
    assert!(line.contains("answers") && line.contains("does not exist yet and will be created"), "{line}");
    let service = run(side, folder.path(), &[]);
    wait_for(|| (service.get("/readyz").status == 200).then_some(()));
    let created = service.command("POST", "/api/orders", Some(&order("12 Main Street"))).expect(201);
    let id = created.json().as_str().unwrap().to_owned();
    let reached = format!("&minPosition={}&waitMs=10000", created.position());
    let is_found = |reached: &str| service.get(&format!("{}{reached}", side.read)).expect(200).body.contains(&id);
    assert!(is_found(&reached));
    let before = projection(&service, side.projection)["generations"][0]["generation"].as_u64().unwrap();
    service.send("POST", &format!("/admin/projections/{}/rebuild", side.projection), &[], None).expect(202);
    wait_for(|| {
        let generations = projection(&service, side.projection)["generations"].clone();
        (generations[0]["generation"] == json!(before + 1) && generations[0]["state"] == "live").then_some(())
    });
    assert!(is_found(""));
    wait_for(|| service.get("/metrics").body.contains("\nsearch_divergence_orders 0\n").then_some(()));
    assert!(service.stop().success());
}

/// Every fault, from the start on, while commands go on.
fn survives(side: &Side) {
    let Some((proxy, side)) = side.behind(|engine| Proxy::start(engine, Fault::Refused)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = run(&side, folder.path(), &[]);
    let ledger = Ledger::default();
    ledger.filled_during(&service, side.pause, || {
        fails_well(&service, &side, "down at the start");
        recovers(&service, &side, &proxy, &ledger, "down at the start");
        for (fault, name) in
            [(Fault::Cut, "cut"), (Fault::Stalled, "stalled"), (Fault::Reset, "reset"), (Fault::Refused, "down")]
        {
            proxy.set(fault);
            fails_well(&service, &side, name);
            recovers(&service, &side, &proxy, &ledger, name);
        }
        proxy.set(Fault::Slow(Duration::from_millis(150)));
        let begun = Instant::now();
        while begun.elapsed() < WATCHED {
            ask(&service, &side, "slow").0.expect(200);
        }
        recovers(&service, &side, &proxy, &ledger, "slow");
    });
    let acknowledged = ledger.check(&service);
    assert_eq!(projection(&service, side.projection)["generations"][0]["parked"], json!(0));
    println!("{acknowledged} acknowledged commands, none lost");
    assert!(service.stop().success());
}

/// A read, answered in time; and how long it took.
fn ask(service: &Service, side: &Side, name: &str) -> (Answer, Duration) {
    let begun = Instant::now();
    let answer = service.get(side.read);
    let took = begun.elapsed();
    assert!(took < DEADLINE_AND_SOME, "{name}: {took:?} {answer:?}");
    (answer, took)
}

/// Reads are refused in time and told when to come again, readiness names the part, and metrics count it.
fn fails_well(service: &Service, side: &Side, name: &str) {
    let failures = || side.failures(&service.get("/metrics").body);
    let (begun, mut longest, mut refused, before) = (Instant::now(), Duration::ZERO, 0, failures());
    while begun.elapsed() < WATCHED || refused == 0 {
        let (answer, took) = ask(service, side, name);
        longest = longest.max(took);
        match answer.status {
            // What was on its way when it began.
            200 if refused == 0 => {}
            503 => {
                let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
                assert!(seconds.is_some_and(|seconds| seconds > 0), "{name}: {answer:?}");
                refused += 1;
            }
            _ => panic!("{name}: {answer:?}"),
        }
        assert!(begun.elapsed() < support::PATIENCE, "{name}: nobody notices");
    }
    let ready = wait_for(|| Some(service.get("/readyz")).filter(|answer| answer.status == 503)).json();
    let part = ready["checks"].as_array().unwrap().iter().find(|check| check["name"] == side.part).unwrap();
    assert_eq!(part["status"], "down", "{name}: {ready}");
    assert!(failures() >= before + refused, "{name}: {before} before, and {}", failures());
    println!("{name}: {refused} reads refused, each within {longest:.1?}");
}

/// Once nothing is wrong any more, everything that was acknowledged can be read, without anybody's help.
fn recovers(service: &Service, side: &Side, proxy: &Proxy, ledger: &Ledger, name: &str) {
    let position = ledger.position();
    proxy.set(Fault::None);
    let begun = Instant::now();
    wait_for(|| (ask(service, side, name).0.status == 200).then_some(()));
    let reads = begun.elapsed();
    let path = format!("{}&minPosition={position}&waitMs=1000", side.read);
    wait_for(|| (service.get(&path).status == 200).then_some(()));
    let caught_up = begun.elapsed();
    wait_for(|| (service.get("/readyz").status == 200).then_some(()));
    println!("{name}: reads are back after {reads:.1?}, all is read after {caught_up:.1?}");
}

#[test]
fn the_program_serves_from_elasticsearch() {
    let Some(side) = Side::elasticsearch() else { return };
    serves(&side);
    side.clear();
}

#[test]
fn the_program_survives_what_may_happen_to_elasticsearch() {
    let Some(side) = Side::elasticsearch() else { return };
    survives(&side);
    side.clear();
}

#[test]
fn the_program_serves_from_mongodb() {
    let Some(side) = Side::mongodb() else { return };
    serves(&side);
    side.clear();
}

#[test]
fn the_program_survives_what_may_happen_to_mongodb() {
    let Some(side) = Side::mongodb() else { return };
    survives(&side);
    side.clear();
}
