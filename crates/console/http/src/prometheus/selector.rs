//! Selections of series outside of a query: `match[]`. How a query is read is the evaluator's business.

use console_promql::{Error, Matcher, Node, Selector};
use console_storage::Matcher as StoreMatcher;

use super::answer::Refusal;
use super::parameters::Parameters;
use super::storage::of_store;

/// Selections in one request.
const SELECTIONS_MAX: usize = 1_000;
const NOTHING_SELECTED: &str = "match[] must contain at least one non-empty matcher";

/// What is wrong with a selection; endpoints differ in what they put before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

impl Wrong {
    /// As endpoints tell it that name the parameter.
    pub(super) fn named(self) -> Refusal {
        Refusal::parameter("match[]", self.0)
    }

    /// As the others do.
    pub(super) fn bare(self) -> Refusal {
        Refusal::bad_data(self.0)
    }
}

/// The selections of a request, each of which is a list of matchers that all have to fit.
pub(super) fn selections(parameters: &Parameters) -> Result<Vec<Vec<StoreMatcher>>, Wrong> {
    let selections: Result<Vec<_>, Wrong> =
        parameters.all("match[]").take(SELECTIONS_MAX + 1).map(|text| Ok(store_matchers(&matchers(text)?))).collect();
    let selections = selections?;
    if selections.len() > SELECTIONS_MAX {
        return Err(Wrong(format!("at most {SELECTIONS_MAX} selections are read at once")));
    }
    Ok(selections)
}

/// Matchers as the store has them.
pub(super) fn store_matchers(matchers: &[Matcher]) -> Vec<StoreMatcher> {
    matchers.iter().map(of_store).collect()
}

/// Reads one selection, as in `up{job="api"}`.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong("unknown position: parse error: unexpected end of input".to_owned()));
    }
    if let Some(told) = after_selector(text) {
        return Err(Wrong(told));
    }
    let expression = console_promql::parse(text).map_err(|error| match error {
        Error::Parse(told) if told.ends_with("vector selector must contain at least one non-empty matcher") => {
            Wrong(NOTHING_SELECTED.to_owned())
        }
        error => Wrong(error.to_string()),
    })?;
    match expression.node {
        Node::Selector(selector) if is_bare(&selector) => Ok(selector.matchers),
        _ => Err(Wrong(format!(
            "parse error: {:?} selects no series; up{{job=\"api\"}} does",
            super::parameters::shown(text)
        ))),
    }
}

/// Whether nothing is said of times.
const fn is_bare(selector: &Selector) -> bool {
    selector.range.is_none()
        && selector.offset.is_none()
        && selector.at.is_none()
        && !selector.anchored
        && !selector.smoothed
}

/// What is wrong where something follows a selection that may be part of a query but not of a selection.
fn after_selector(text: &str) -> Option<String> {
    let mut quote = None;
    let mut depth = 0_u32;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some('`'), '`') => quote = None,
            (Some('`'), _) => {}
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, '(' | ')' | '[' | ']' | '+' | '-' | '*' | '/' | '%' | '^' | '@') if depth == 0 => {
                let before = text.get(..at).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
                return Some(format!("{line}:{column}: parse error: unexpected \"{character}\""));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_no_query() {
        assert_eq!(matchers("up{job=~\"a(b)\"}").unwrap().len(), 2);
        for (text, expected) in [
            ("", "unknown position: parse error: unexpected end of input"),
            ("up[5m]", "1:3: parse error: unexpected \"[\""),
            ("sum(up)", "1:4: parse error: unexpected \"(\""),
            ("{}", NOTHING_SELECTED),
            ("{a=~\".*\"}", NOTHING_SELECTED),
        ] {
            assert_eq!(matchers(text).unwrap_err().0, expected, "{text}");
        }
        for text in ["up offset 5m", "1", "up{", "a or b", "\"text\""] {
            assert!(matchers(text).is_err(), "{text}");
        }
    }
}
