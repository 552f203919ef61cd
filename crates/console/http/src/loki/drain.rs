//! Finds the patterns of lines: what they have in common stays, what differs becomes `<_>`.
//!
//! After P. He, J. Zhu, Z. Zheng, M. Lyu: Drain, an online log parsing approach with fixed depth tree (2017),
//! <https://doi.org/10.1109/ICWS.2017.13>: lines of as many words, with the same first word, are compared with
//! the groups there are; the most similar one takes the line in, or it begins a group of its own.

use hashbrown::HashMap;

/// Groups that are told apart; lines that would begin more are counted with none.
const GROUPS_MAX: usize = 1_000;
/// Groups that a line is compared with.
const COMPARED_MAX: usize = 100;
/// Words of a line; what is behind them is one.
const WORDS_MAX: usize = 80;
/// How large a share of words has to be the same.
const SIMILARITY: f64 = 0.5;
const WILDCARD: &str = "<_>";

/// A word, and what stands between it and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word<'a> {
    text: &'a str,
    separator: &'a str,
}

/// Words end with a space, or with the sign behind a key.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = line.trim_end();
    while !rest.is_empty() {
        if words.len() + 1 >= WORDS_MAX {
            words.push(Word { text: rest, separator: "" });
            break;
        }
        let end = rest.find([' ', '\t', '\n', '=', ',', ';']).unwrap_or(rest.len());
        let (text, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let mark = behind.find(|character: char| !matches!(character, ' ' | '\t' | '\n' | '=' | ',' | ';'));
        let (separator, behind) = behind.split_at_checked(mark.unwrap_or(behind.len())).unwrap_or((behind, ""));
        words.push(Word { text, separator });
        rest = behind;
    }
    words
}

/// Whether a word is likely to differ from line to line.
fn varies(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Lines that look alike.
#[derive(Debug)]
pub(super) struct Group {
    /// Words with what stands behind each; none where they differ.
    words: Vec<(Option<String>, String)>,
    /// Lines by step.
    pub(super) counts: HashMap<u32, u64>,
    pub(super) total: u64,
}

impl Group {
    /// The pattern, in the form that `|>` and `| pattern` take.
    pub(super) fn pattern(&self) -> String {
        let mut out = String::new();
        for (word, separator) in &self.words {
            match word {
                Some(word) => out.push_str(word),
                // Two in a row without anything between say no more than one.
                None if out.ends_with(WILDCARD) => {}
                None => out.push_str(WILDCARD),
            }
            out.push_str(separator);
        }
        // What differs all along says no more than once.
        let doubled = format!("{WILDCARD} {WILDCARD}");
        while out.contains(&doubled) {
            out = out.replace(&doubled, WILDCARD);
        }
        out
    }

    fn similarity(&self, words: &[Word<'_>]) -> f64 {
        let same = self.words.iter().zip(words).filter(|((own, _), word)| own.as_deref() == Some(word.text)).count();
        same as f64 / words.len().max(1) as f64
    }

    fn take(&mut self, words: &[Word<'_>], step: u32) {
        for ((own, separator), word) in self.words.iter_mut().zip(words) {
            if own.as_deref().is_some_and(|own| own != word.text) {
                *own = None;
            }
            if separator != word.separator {
                *separator = word.separator.to_owned();
            }
        }
        *self.counts.entry(step).or_insert(0) += 1;
        self.total += 1;
    }
}

/// Groups lines as they come.
#[derive(Debug, Default)]
pub(super) struct Drain {
    groups: Vec<Group>,
    by_shape: HashMap<(usize, String), Vec<usize>>,
    /// Lines that no group could be begun for.
    pub(super) left_out: u64,
}

impl Drain {
    /// Takes a line in, at a step.
    pub(super) fn add(&mut self, line: &str, step: u32) {
        let words = words(line);
        let Some(first) = words.first() else { return };
        let root = if varies(first.text) { WILDCARD } else { first.text };
        let shape = (words.len(), root.to_owned());
        let candidates = self.by_shape.entry(shape).or_default();
        let best = candidates
            .iter()
            .take(COMPARED_MAX)
            .filter_map(|at| Some((*at, self.groups.get(*at)?.similarity(&words))))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, similarity)| *similarity >= SIMILARITY);
        if let Some(group) = best.and_then(|(at, _)| self.groups.get_mut(at)) {
            return group.take(&words, step);
        }
        if self.groups.len() >= GROUPS_MAX {
            self.left_out += 1;
            return;
        }
        candidates.push(self.groups.len());
        let word = |word: &Word<'_>| {
            let text = (!varies(word.text)).then(|| word.text.to_owned());
            (text, word.separator.to_owned())
        };
        let words = words.iter().map(word).collect();
        self.groups.push(Group { words, counts: HashMap::from_iter([(step, 1)]), total: 1 });
    }

    /// The groups, the largest first; those with the same pattern are one.
    pub(super) fn finish(self) -> Vec<(String, Group)> {
        let mut by_pattern: HashMap<String, Group> = HashMap::new();
        for group in self.groups {
            let pattern = group.pattern();
            match by_pattern.get_mut(&pattern) {
                Some(known) => {
                    known.total += group.total;
                    group.counts.into_iter().for_each(|(step, count)| *known.counts.entry(step).or_insert(0) += count);
                }
                None => {
                    by_pattern.insert(pattern, group);
                }
            }
        }
        let mut groups: Vec<(String, Group)> = by_pattern.into_iter().collect();
        groups.sort_by(|a, b| b.1.total.cmp(&a.1.total).then_with(|| a.0.cmp(&b.0)));
        groups
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns(lines: &[&str]) -> Vec<(String, u64)> {
        let mut drain = Drain::default();
        lines.iter().for_each(|line| drain.add(line, 0));
        drain.finish().into_iter().map(|(pattern, group)| (pattern, group.total)).collect()
    }

    #[test]
    fn what_differs_becomes_a_wildcard() {
        // https://grafana.com/docs/loki/latest/reference/loki-http-api/#patterns-detection
        let lines = [
            "ts=2024-03-30T23:03:40 caller=grpc_logging.go:66 level=info method=/cortex.Ingester/Push duration=200ms msg=gRPC",
            "ts=2024-03-30T23:03:41 caller=grpc_logging.go:66 level=info method=/cortex.Ingester/Push duration=500ms msg=gRPC",
        ];
        let found = patterns(&lines);
        assert_eq!(found.len(), 1);
        let expected = "ts=<_> caller=<_> level=info method=/cortex.Ingester/Push duration=<_> msg=gRPC";
        assert_eq!(found[0], (expected.to_owned(), 2));
        for line in lines {
            let query = format!("{{a=\"b\"}} |> `{}`", found[0].0);
            let filter = console_logql::Filter::new(&console_logql::parse_log(&query).unwrap(), 0).unwrap();
            assert!(filter.run(&Plain(line)).is_some(), "the pattern finds what it was made of");
        }
    }

    #[test]
    fn lines_that_are_not_alike_are_apart_and_the_most_frequent_come_first() {
        let found = patterns(&[
            "user bob logged in",
            "connection refused by peer",
            "user ann logged in",
            "user eve logged in",
            "started",
        ]);
        let expected = [("user <_> logged in", 3), ("connection refused by peer", 1), ("started", 1)];
        assert_eq!(found, expected.map(|(pattern, count)| (pattern.to_owned(), count)));
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let mut drain = Drain::default();
        for at in 0..5_000_u32 {
            let word: String = at.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
            drain.add(&format!("{word} {word} {word}"), 0);
        }
        assert!(drain.left_out > 0);
        assert!(drain.finish().len() <= GROUPS_MAX);
    }

    struct Plain<'a>(&'a str);

    impl console_logql::Line for Plain<'_> {
        fn time_ns(&self) -> u64 {
            0
        }

        fn text(&self) -> &str {
            self.0
        }

        fn stream(&self) -> &console_model::Labels {
            static NONE: std::sync::LazyLock<console_model::Labels> = std::sync::LazyLock::new(Default::default);
            &NONE
        }

        fn metadata(&self, _: &mut dyn FnMut(&str, &str)) {}
    }

    proptest! {
        #[test]
        fn every_line_is_counted_once(lines in proptest::collection::vec("[a-c1 =,é]{0,12}", 0..40)) {
            let wanted = lines.iter().filter(|line| !words(line).is_empty()).count() as u64;
            let mut drain = Drain::default();
            lines.iter().for_each(|line| drain.add(line, 0));
            let left_out = drain.left_out;
            let counted: u64 = drain.finish().iter().map(|(_, group)| group.total).sum();
            prop_assert_eq!(counted + left_out, wanted);
        }
    }
}
