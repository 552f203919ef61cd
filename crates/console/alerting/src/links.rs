//! Paths at which a query can be seen, as Prometheus names them.

use console_template::go::query_escape;

/// The path of a query's graph.
pub fn graph(query: &str) -> String {
    format!("/graph?g0.expr={}&g0.tab=0", query_escape(query))
}

/// The path of what a query gives now.
pub fn table(query: &str) -> String {
    format!("/graph?g0.expr={}&g0.tab=1", query_escape(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped_as_go_escapes_them() {
        assert_eq!(table("up{job=\"a b\"} == 0"), "/graph?g0.expr=up%7Bjob%3D%22a+b%22%7D+%3D%3D+0&g0.tab=1");
    }
}
