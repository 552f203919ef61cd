//! Starts that cannot be: each ends at once, with a line that says what is wrong, and what to do.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use crate::support::mount::Mount;
use crate::support::{Service, binary};

/// Runs it to its end, which has to be near.
fn run(data_dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = binary();
    command.args(arguments).arg("--data-dir").arg(data_dir).envs(environment.iter().copied());
    command.output().unwrap()
}

/// It fails, by one line of its own that has all these words, and without a panic.
fn check(output: &Output, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{told}");
    assert!(output.status.code().is_some_and(|code| code != 101), "{:?}: {told}", output.status);
    assert!(!told.contains("panicked"), "{told}");
    for word in words {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
}

#[test]
fn ports_that_are_taken_are_named_by_their_setting() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in ["console", "up"] {
        for setting in ["CONSOLE_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"] {
            let output = run(folder.path(), &[command, "--port", "0"], &[(setting, &port)]);
            check(&output, &[setting, &port]);
            assert_eq!(String::from_utf8_lossy(&output.stderr).trim_end().lines().count(), 1);
        }
    }
}

#[test]
fn a_folder_that_is_not_for_this_console_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    check(&run(folder.path(), &["console"], &[]), &["in use by another process", "choose another folder"]);
    assert!(console.stop().success());

    let format = folder.path().join("console/FORMAT");
    let right = std::fs::read(&format).unwrap();
    std::fs::write(&format, "highbeam console store 999\n").unwrap();
    check(&run(folder.path(), &["console"], &[]), &["format 999", "choose an empty folder"]);
    assert_eq!(std::fs::read(&format).unwrap(), b"highbeam console store 999\n", "nothing was changed in it");
    std::fs::write(&format, right).unwrap();
    assert!(Service::console(folder.path(), &[]).stop().success());

    let foreign = tempfile::tempdir().unwrap();
    std::fs::create_dir(foreign.path().join("console")).unwrap();
    std::fs::write(foreign.path().join("console/thesis.txt"), "three years of work").unwrap();
    check(&run(foreign.path(), &["console"], &[]), &["holds files but no console store", "choose an empty folder"]);
    let kept: Vec<_> = std::fs::read_dir(foreign.path().join("console")).unwrap().collect();
    assert_eq!(kept.len(), 1, "nothing was added to it");

    let file = tempfile::tempdir().unwrap();
    std::fs::write(file.path().join("console"), "a file").unwrap();
    check(&run(file.path(), &["console"], &[]), &["console"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // Root writes where others may not, but to what is mounted for reading only.
    let Some(_mount) = Mount::new(folder.path(), "ro") else { return };
    check(&run(folder.path(), &["console"], &[]), &["cannot be written", "choose another folder"]);
}

#[test]
fn settings_that_are_wrong_are_told_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        ("RETENTION_BYTES", "1KB", "16MiB or more"),
        ("RETENTION_AGE", "a while", "0 or a number with d, h, m or s"),
        ("SCRAPE_INTERVAL", "0s", "one second or more"),
        ("SCRAPE_TARGETS", "localhost", "http://"),
        ("ALERT_WEBHOOKS", "localhost:9000", "begin with http:// or https://"),
        ("EXTERNAL_URL", "console", "must be one URL"),
        ("CONSOLE_PORT", "70000", "CONSOLE_PORT"),
    ];
    let environment = wrong.map(|(name, value, _)| (name, value));
    let output = run(folder.path(), &["console"], &environment);
    let words: Vec<_> = wrong.iter().flat_map(|(name, _, told)| [*name, *told]).collect();
    check(&output, &words);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn an_import_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    check(&run(folder.path(), &["console", "--import", "/nowhere.json"], &[]), &["cannot import /nowhere.json"]);
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 7}]}]}]}"#).unwrap();
    let output = run(folder.path(), &["console", "--import", broken.to_str().unwrap()], &[]);
    check(&output, &["cannot import", "resourceSpans[0].scopeSpans[0].spans[0].traceId"]);
}
