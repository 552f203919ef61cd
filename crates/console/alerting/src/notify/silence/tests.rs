//! When silences hold, and which are refused.

use super::*;

fn form(name: &str, value: &str) -> Form {
    Form { name: name.to_owned(), value: value.to_owned(), is_regex: false, is_equal: true }
}

fn wanted(starts_at_ms: i64, ends_at_ms: i64) -> Wanted {
    let (created_by, comment) = ("me".to_owned(), "maintenance".to_owned());
    Wanted { id: None, matchers: vec![form("alertname", "Down")], starts_at_ms, ends_at_ms, created_by, comment }
}

fn labels() -> Texts {
    Texts::from([("alertname".to_owned(), "Down".to_owned())])
}

#[test]
fn a_silence_holds_from_its_begin_to_its_end() {
    let mut silences = Silences::default();
    let id = silences.set(wanted(100, 200), 50).unwrap();
    let state = |silences: &Silences, now_ms| silences.get(&id).unwrap().state(now_ms);
    assert_eq!(state(&silences, 50), SilenceState::Pending);
    assert_eq!(silences.silencing(&labels(), 99), Vec::<String>::new());
    assert_eq!(silences.silencing(&labels(), 100), std::slice::from_ref(&id));
    assert_eq!(silences.silencing(&Texts::new(), 100), Vec::<String>::new());
    assert_eq!(state(&silences, 200), SilenceState::Expired);
    silences.expire(&id, 150).unwrap();
    assert_eq!(state(&silences, 150), SilenceState::Expired);
    assert_eq!(silences.expire("none", 150), Err(SilenceError::NotFound("none".to_owned())));
}

#[test]
fn a_silence_that_holds_can_be_made_longer_and_another_takes_the_place_of_what_cannot_be_changed() {
    let mut silences = Silences::default();
    let id = silences.set(wanted(0, 200), 100).unwrap();
    let starts_at_ms = silences.get(&id).unwrap().starts_at_ms;
    assert_eq!(starts_at_ms, 100, "the past is not silenced");
    let longer = Wanted { id: Some(id.clone()), ..wanted(starts_at_ms, 500) };
    assert_eq!(silences.set(longer, 150).unwrap(), id);
    assert_eq!(silences.get(&id).unwrap().ends_at_ms, 500);
    let other = Wanted { id: Some(id.clone()), matchers: vec![form("alertname", "Slow")], ..wanted(100, 500) };
    let new = silences.set(other, 160).unwrap();
    assert_ne!(new, id);
    assert_eq!(silences.get(&id).unwrap().state(160), SilenceState::Expired);
    assert_eq!(silences.get(&new).unwrap().state(160), SilenceState::Active);
}

#[test]
fn what_would_silence_everything_or_nothing_is_refused() {
    let mut silences = Silences::default();
    let mut refused = |wanted: Wanted| silences.set(wanted, 100).unwrap_err().to_string();
    assert!(refused(Wanted { matchers: vec![], ..wanted(100, 200) }).contains("one matcher at least"));
    let all = Form { is_regex: true, ..form("alertname", ".*") };
    assert!(refused(Wanted { matchers: vec![all], ..wanted(100, 200) }).contains("must not match the empty string"));
    assert!(refused(wanted(100, 100)).contains("end time must be after"));
    assert!(refused(wanted(0, 50)).contains("past"));
    let broken = Form { is_regex: true, ..form("alertname", "(") };
    assert!(refused(Wanted { matchers: vec![broken], ..wanted(100, 200) }).contains("unclosed group"));
    assert!(refused(Wanted { comment: "x".repeat(5_000), ..wanted(100, 200) }).contains("characters"));
    assert!(refused(Wanted { id: Some("x".to_owned()), ..wanted(100, 200) }).contains("not found"));
}

#[test]
fn there_is_an_end_to_how_many_are_kept_and_those_that_are_over_go_first() {
    let mut silences = Silences::default();
    for _ in 0..SILENCES_MAX {
        silences.set(wanted(0, 200), 100).unwrap();
    }
    assert_eq!(silences.set(wanted(0, 200), 100), Err(SilenceError::TooMany));
    assert!(silences.set(wanted(0, 500), 300).is_ok());
    assert_eq!(silences.iter().count(), 1);
    assert!(!silences.forget_old(500 + RETENTION_MS - 1) && silences.forget_old(500 + RETENTION_MS));
}

#[test]
fn silences_come_back_from_their_file() {
    let mut silences = Silences::default();
    silences.set(wanted(0, 200), 100).unwrap();
    let text = serde_json::to_string(&silences.kept()).unwrap();
    let mut again = Silences::default();
    again.take(serde_json::from_str(&text).unwrap());
    assert_eq!(again.by_id, silences.by_id);
}
