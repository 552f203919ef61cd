//! What the comparison finds, and what the list keeps it from finding.

use super::*;

fn findings(list_text: &str, ours: &[&str], theirs: &[&str]) -> Findings {
    let read = |texts: &[&str]| texts.iter().map(|text| Exposition::read(text).unwrap()).collect::<Vec<_>>();
    let (list, ours, theirs) = (list(list_text).unwrap(), read(ours), read(theirs));
    Comparison { list: &list, ours: &ours, theirs: &theirs }.findings().1
}

const COUNTER: &str = "# TYPE node_a_total counter\nnode_a_total{d=\"x\"} ";
const GAUGE: &str = "# TYPE node_b gauge\nnode_b ";

fn one(family: &str, ours: &[f64], theirs: &[f64], list: &str) -> Findings {
    let texts = |values: &[f64]| values.iter().map(|value| format!("{family}{value}\n")).collect::<Vec<_>>();
    let (ours, theirs) = (texts(ours), texts(theirs));
    let borrowed = |texts: &[String]| texts.iter().map(|text| text.to_owned().leak() as &str).collect::<Vec<_>>();
    findings(list, &borrowed(&ours), &borrowed(&theirs))
}

#[test]
fn a_counter_lies_between_its_neighbours() {
    assert_eq!(one(COUNTER, &[1.0, 2.0, 3.0], &[1.5, 2.0], ""), Findings::new());
    assert_eq!(one(COUNTER, &[1.0, 2.0, 3.0], &[1.5, 3.5], "").len(), 1);
    assert_eq!(one(COUNTER, &[0.1 + 0.2, 0.3], &[0.3], ""), Findings::new(), "rounding is no difference");
}

#[test]
fn a_gauge_that_stands_still_is_the_same_and_one_that_moves_is_near_most_of_the_time() {
    assert_eq!(one(GAUGE, &[1.0, 1.0, 1.0], &[1.0, 1.0], ""), Findings::new());
    assert_eq!(one(GAUGE, &[1.0, 1.0, 1.0], &[1.1, 1.1], "").len(), 1);
    assert_eq!(one(GAUGE, &[1.0, 2.0, 3.0], &[1.5, 9.0], ""), Findings::new());
    assert_eq!(one(GAUGE, &[1.0, 2.0, 3.0], &[1500.0, 2500.0], "").len(), 1);
    let list = "[[moves]]\nnames = [\"node_b\"]\nby = 8.0\nreason = \"x\"\n";
    assert_eq!(one(GAUGE, &[1.0, 1.0, 1.0], &[7.0, 4.0], list), Findings::new());
    assert_eq!(one(GAUGE, &[1.0, 1.0, 1.0], &[70.0, 40.0], list).len(), 1);
    assert_eq!(one(GAUGE, &[1.0, 1.0, 1.0], &[7.0, 7.0], list).len(), 1, "neither moves");
    let always = list.replace("by", "always = true\nby");
    assert_eq!(one(GAUGE, &[1.0, 1.0, 1.0], &[7.0, 7.0], &always), Findings::new());
}

#[test]
fn what_is_missing_or_too_much_is_found_unless_it_is_listed() {
    let (ours, theirs) = ("node_c 1\nnode_d 1\nhttp_e 1\n", "node_d 1\nnode_f{x=\"1\"} 1\n");
    let found = findings("", &[ours, ours], &[theirs]);
    assert_eq!(found, ["node_f{x=\"1\"}: is missing", "node_c{}: is not node_exporter's"]);
    let list = "[[left_out]]\nnames = [\"node_*\"]\nlabels = { x = [\"1*\"] }\nreason = \"x\"\n[[added]]\nnames = [\"node_c\"]\nreason = \"x\"\n";
    assert_eq!(findings(list, &[ours, ours], &[theirs]), Findings::new());
    let stale = "[[left_out]]\nnames = [\"node_d\", \"node_f\"]\nreason = \"x\"\n[[added]]\nnames = [\"node_c\"]\nreason = \"x\"\n";
    assert_eq!(findings(stale, &[ours, ours], &[theirs]), ["node_d{}: is there, and listed as left out"]);
}

#[test]
fn types_labels_and_presence_are_compared() {
    let typed = |kind: &str| format!("# TYPE node_b {kind}\nnode_b 1\n").leak() as &str;
    assert_eq!(findings("", &[typed("gauge"), typed("gauge")], &[typed("untyped")]).len(), 1);
    assert_eq!(findings("", &[typed("untyped"), typed("untyped")], &[typed("untyped")]), Findings::new());
    let labelled = |value: &str| format!("node_b{{r=\"{value}\"}} 1\n").leak() as &str;
    assert_eq!(findings("", &[labelled("1"), labelled("1")], &[labelled("0")]).len(), 2);
    let list = "[[differs]]\nnames = [\"node_b\"]\nwithout = [\"r\"]\nreason = \"x\"\n";
    assert_eq!(findings(list, &[labelled("1"), labelled("1")], &[labelled("0")]), Findings::new());
    let other = "[[differs]]\nnames = [\"node_b\"]\nreason = \"x\"\n";
    assert_eq!(one(GAUGE, &[1.0, 1.0], &[5.0], other), Findings::new());
    assert_eq!(
        findings("", &["node_b 1\nnode_c 1\n", "node_b 1\n"], &["node_b 1\nnode_c 1\n"]),
        ["node_c{}: comes and goes"]
    );
}

#[test]
fn patterns_have_stars() {
    for (pattern, text) in [("a", "a"), ("a*", "a"), ("a*", "abc"), ("*c", "abc"), ("a*c*e", "abcde"), ("*", "")] {
        assert!(fits(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("a", "ab"), ("a*c", "ab"), ("*b", "abc"), ("", "a")] {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn the_list_has_a_reason_for_each_entry() {
    let list = list(&tree::text(&tree::root(), LIST)).unwrap();
    let entries = list.left_out.iter().chain(&list.added).chain(&list.differs).chain(&list.moves);
    assert!(entries.clone().count() > 10);
    assert!(entries.into_iter().all(|entry| !entry.names.is_empty() && entry.reason.len() > 20));
}

#[test]
fn the_page_tells_what_the_list_says() {
    assert_eq!(check(&tree::root()), Findings::new());
}

#[test]
fn a_folder_without_scrapes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(compare(&tree::root(), folder.path())[0].contains("0 of ours"), "{:?}", folder.path());
}
