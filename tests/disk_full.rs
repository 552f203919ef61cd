//! A disk that is full: commands are answered 503, reads go on, and once there is room again commands
//! are answered 201 by the very same process. Needs a small file system of its own, so it runs where
//! one can be mounted and says so where not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::mount::{Mount, long_order};
use support::{Service, order, wait_for};

/// Bytes of the file system, as mount takes them.
const SIZE: &str = "size=24m";
/// Taken away at first, and given back later.
const FILLER: usize = 12 * 1024 * 1024;

#[test]
fn a_full_disk_is_503_and_passes_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(folder.path(), SIZE) else {
        println!("skipped: no file system can be mounted here (it takes root)");
        return;
    };
    let filler = folder.path().join("filler");
    std::fs::write(&filler, vec![0; FILLER]).unwrap();
    let service = Service::up(folder.path());

    let mut acknowledged = Vec::new();
    let refused = wait_for(|| {
        let answer = service.command("POST", "/api/orders", Some(&long_order()));
        if answer.status == 201 {
            acknowledged.push(answer.json().as_str().unwrap().to_owned());
            return None;
        }
        Some(answer)
    });
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(refused.json()["type"], "/problems/unavailable");
    assert!(!refused.body.contains("disk"), "the cause is for the log: {}", refused.body);
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    service.get(&format!("/api/orders/{}", acknowledged[0])).expect(200);
    service.get("/livez").expect(200);

    std::fs::remove_file(&filler).unwrap();
    let pid = service.pid();
    let accepted = wait_for(|| {
        let answer = service.command("POST", "/api/orders", Some(&order("after the flood")));
        (answer.status == 201).then_some(answer)
    });
    acknowledged.push(accepted.json().as_str().unwrap().to_owned());
    for id in &acknowledged {
        service.get(&format!("/api/orders/{id}/events")).expect(200);
    }
    // The projections come back by themselves as well.
    let position = accepted.position();
    wait_for(|| (service.get(&format!("/api/orders?minPosition={position}&waitMs=1000")).status == 200).then_some(()));
    assert_eq!(service.pid(), pid);
    assert!(service.stop().success());
    drop(mount);
}
