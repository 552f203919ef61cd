//! What holds for any query and any line.

use proptest::prelude::*;

use super::*;

fn stage() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("|= \"a\"".to_owned()),
        Just("!= \"b\" or \"c\"".to_owned()),
        Just("|~ \"a|b\"".to_owned()),
        Just("| json".to_owned()),
        Just("| json x=\"a.b[0]\", y".to_owned()),
        Just("| logfmt".to_owned()),
        Just("| logfmt --keep-empty a, z=\"b\"".to_owned()),
        Just("| pattern \"<a> <b>\"".to_owned()),
        Just("| regexp \"(?P<a>\\\\w+)\"".to_owned()),
        Just("| unpack".to_owned()),
        Just("| decolorize".to_owned()),
        Just("| line_format \"{{.a}} {{ __line__ }}\"".to_owned()),
        Just("| label_format a=b, c=\"{{.a | upper}}\"".to_owned()),
        Just("| drop a, b=\"x\"".to_owned()),
        Just("| keep job, a=~\".+\"".to_owned()),
        Just("| a > 5 or b = \"x\" and c <= 5ms".to_owned()),
        Just("| a >= 10KB".to_owned()),
        Just("| a = ip(\"10.0.0.0/8\")".to_owned()),
    ]
}

fn query() -> impl Strategy<Value = String> {
    proptest::collection::vec(stage(), 0..6).prop_map(|stages| format!("{{job=\"x\"}} {}", stages.join(" ")))
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        text in "(\\{|\\}|\\(|\\)|\\[|\\]|a|b|=|!=|=~|\"x\"|`y`|\\||\\|=|,|5|5m|5KB|sum|rate|by|json|logfmt|unwrap|or|and|on|bool|offset|--| |é|\\+|\\^|-|>){0,24}"
    ) {
        if let Ok(expr) = crate::parse(&text) {
            let written = expr.to_string();
            prop_assert_eq!(crate::parse(&written).map(|expr| expr.to_string()), Ok(written));
        }
    }

    #[test]
    fn a_query_that_is_written_is_the_same_query(query in query()) {
        let expr = crate::parse(&query).unwrap();
        prop_assert_eq!(&crate::parse(&expr.to_string()).unwrap(), &expr);
        prop_assert_eq!(&crate::parse(&crate::ast::pretty(&expr)).unwrap(), &expr);
    }

    #[test]
    fn no_line_makes_a_pipeline_panic(query in query(), line in "(\\{|\\}|\"|a|b|:|,|\\[|\\]|=| |1|\\.|\u{1b}|\\\\|é|null|10\\.0\\.0\\.1|5ms|\\n){0,24}") {
        let memory = Memory::of(&[("job", "x"), ("a", "7")], &[&line]);
        let all = found(&memory, &query);
        prop_assert!(all.len() <= 1);
        for (labels, _) in all {
            prop_assert!(labels.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()));
        }
    }

    #[test]
    fn what_a_negative_filter_leaves_out_the_positive_one_keeps(lines in proptest::collection::vec("[abc ]{0,6}", 1..12), text in "[abc]{1,2}") {
        let memory = Memory::of(&[("job", "x")], &lines.iter().map(String::as_str).collect::<Vec<_>>());
        for (op, not) in [("|=", "!="), ("|~", "!~"), ("|>", "!>")] {
            let kept = texts(&memory, &format!("{{job=\"x\"}} {op} \"{text}\"")).len();
            let left = texts(&memory, &format!("{{job=\"x\"}} {not} \"{text}\"")).len();
            prop_assert_eq!(kept + left, lines.len());
        }
    }

    #[test]
    fn json_that_is_written_is_read(pairs in proptest::collection::btree_map("[a-z]{1,6}", "(?s).{1,12}", 1..6)) {
        let line = serde_json::to_string(&pairs).unwrap();
        let mut expected: BTreeMap<String, String> = pairs.into_iter().collect();
        let mut all = extracted(&line, "| json");
        if let Some(job) = expected.remove("job") {
            prop_assert_eq!(all.remove("job_extracted"), Some(job));
        }
        prop_assert_eq!(all, expected);
    }

    #[test]
    fn counts_of_any_window_are_those_of_its_lines(times in proptest::collection::vec(0_u32..100, 1..40), range in 1_u32..50, step in 1_u32..30) {
        let mut memory = Memory::default();
        for time in &times {
            memory.push(&[("job", "x")], f64::from(*time), "line");
        }
        let query = format!("sum(count_over_time({{job=\"x\"}}[{range}s]))");
        let series = matrix(&memory, &query, 0.0, 100.0, f64::from(step));
        let mut points = series.into_iter().next().map(|series| series.points).unwrap_or_default();
        for number in 0..=100 / step {
            let end = number * step;
            let count = times.iter().filter(|time| **time <= end && **time + range > end).count();
            let found = points.iter().position(|(at, _)| *at == number).map(|at| points.remove(at).1);
            prop_assert_eq!(found, (count > 0).then_some(count as f64), "at {}", end);
        }
    }
}
