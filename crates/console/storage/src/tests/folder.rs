//! Folders that are not a store, not this store, or not to be written.

use std::fs;

use super::{clock, open, quiet};
use crate::{OpenError, Store};

fn refusal(path: &std::path::Path) -> OpenError {
    match Store::open(path, quiet(), clock()) {
        Ok(_) => panic!("the folder should have been refused"),
        Err(error) => error,
    }
}

#[test]
fn a_folder_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::Foreign { .. }));
    fs::write(folder.path().join("FORMAT"), "PNG").unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::Foreign { .. }));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_store_of_another_version_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::write(folder.path().join("FORMAT"), "highbeam console store 7\n").unwrap();
    let text = refusal(folder.path()).to_string();
    assert!(text.contains("format 7") && text.contains("reads format 3"), "{text}");
}

#[test]
fn a_store_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert!(matches!(refusal(folder.path()), OpenError::InUse { .. }));
    drop(store);
    open(folder.path());
}

#[test]
fn a_crash_while_it_was_made_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    for torn in ["", "high", "highbeam console store "] {
        fs::write(folder.path().join("FORMAT"), torn).unwrap();
        drop(open(folder.path()));
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
        }
    }
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    assert!(matches!(refusal(&path), OpenError::Io { .. }));
}

#[test]
fn looking_tells_what_opening_would_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let look = |name: &str| Store::check(&folder.path().join(name));
    assert!(look("none").is_ok() && !folder.path().join("none").exists());
    let at = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    fs::write(at("foreign").join("photo"), "PNG").unwrap();
    assert!(matches!(look("foreign"), Err(OpenError::Foreign { .. })));
    fs::write(at("older").join("FORMAT"), "highbeam console store 1\n").unwrap();
    assert!(matches!(look("older"), Err(OpenError::Version { .. })));
    assert!(matches!(look("older"), Err(OpenError::Version { .. })) && fs::read_dir(at("older")).unwrap().count() == 1);
    let store = open(&at("own"));
    assert!(matches!(look("own"), Err(OpenError::InUse { .. })));
    drop(store);
    assert!(look("own").is_ok());
}
