//! What may be in a query beside what Prometheus always allows. What it means is not known here.

/// What Prometheus has behind flags. All are off by default, as there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// Functions and aggregations that may still change.
    pub experimental_functions: bool,
    /// Arithmetic with spans of time: `[5m * 2]`, `offset step()`.
    pub duration_expressions: bool,
    /// `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right` of binary operations.
    pub fill_modifiers: bool,
    /// Names are dropped when all is evaluated, not at once.
    pub delayed_name_removal: bool,
}

impl Features {
    /// Everything on.
    pub const ALL: Self = Self {
        experimental_functions: true,
        duration_expressions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
        delayed_name_removal: true,
    };

    /// Everything that only adds to the language: what would change the answers of queries that do without is off.
    pub const ADDITIONS: Self = Self { delayed_name_removal: false, ..Self::ALL };
}
