//! Which labels tell series apart.

use console_model::{LabelSetBuilder, Labels, Text};

use crate::ast::Grouping;

/// The labels that a grouping leaves.
pub(super) fn group(labels: &Labels, grouping: &Grouping, builder: &mut LabelSetBuilder) -> Labels {
    let kept = |name: &str| grouping.labels.iter().any(|label| label == name) != grouping.without;
    labels.iter().filter(|(name, _)| kept(name)).for_each(|(name, value)| builder.push(name, value));
    builder.finish()
}

/// The labels that have to be the same for two series to belong together.
pub(super) fn signature(labels: &Labels, on: bool, names: &[Text], builder: &mut LabelSetBuilder) -> Labels {
    let kept = |name: &str| names.iter().any(|label| label == name) == on;
    labels.iter().filter(|(name, _)| kept(name)).for_each(|(name, value)| builder.push(name, value));
    builder.finish()
}
