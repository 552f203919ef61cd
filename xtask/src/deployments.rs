//! `cargo xtask deployments`: holds what Kustomize makes of `deployments/` against rules that no schema knows: whether
//! patches hit, selectors select, references lead somewhere, roles are bound, images are pinned, and policies let through
//! what the code asks and nothing else. It asks no cluster; `tests/cluster.sh` does.

mod access;
mod bundle;
mod charts;
mod containers;
mod edges;
mod matrix;
mod patches;
mod pins;
mod references;
mod render;
mod rules;
mod scope;
mod selectors;
mod settings;
mod tables;
mod values;

use std::path::Path;

use crate::Findings;
use bundle::Bundle;
use tables::Tables;

/// What is looked at: each overlay is what somebody applies.
const OVERLAYS: [&str; 2] = ["overlays/dev", "overlays/prod"];
/// What is applied beside them, and whose patches have to hit as well.
const BESIDE: [&str; 4] =
    ["policies/kyverno/audit", "policies/kyverno/deny", "overlays/prod-ambient", "overlays/dev-promtail"];
/// Where the manifests are.
const FOLDER: &str = "deployments";

/// A rendered overlay, and the tables beside it.
struct Given<'a> {
    bundle: &'a Bundle,
    tables: &'a Tables,
    /// The variables that the program reads.
    known_settings: &'a [String],
}

/// What one rule finds.
type Rule = fn(&Given<'_>) -> Findings;

const RULES: [(&str, Rule); 9] = [
    ("scope", scope::check),
    ("references", references::check),
    ("selectors", selectors::check),
    ("containers", containers::check),
    ("settings", settings::check),
    ("access", access::check),
    ("matrix", matrix::check),
    ("policies", edges::check),
    ("pins", pins::check),
];

/// Checks everything.
pub fn check(root: &Path) -> Findings {
    match checked(root) {
        Ok(findings) => findings,
        Err(reason) => vec![format!("deployments: {reason}")],
    }
}

/// Writes what is made from elsewhere in the tree.
pub fn write(root: &Path) -> Findings {
    rules::write(root)
}

fn checked(root: &Path) -> Result<Findings, String> {
    let kustomize = render::Kustomize::find(root)?;
    let tables = Tables::read(&root.join(FOLDER))?;
    let known_settings = crate::settings::known(root);
    let mut findings = rules::check(root);
    let mut bundles = Vec::new();
    for overlay in OVERLAYS {
        let text = kustomize.build(&root.join(FOLDER).join(overlay))?;
        let bundle = Bundle::read(&text).map_err(|reason| format!("{overlay}: {reason}"))?;
        let given = Given { bundle: &bundle, tables: &tables, known_settings: &known_settings };
        let before = findings.len();
        for (name, rule) in RULES {
            let found = rule(&given);
            findings.extend(found.into_iter().map(|finding| format!("{overlay}, {name}: {finding}")));
        }
        println!("{overlay}: {} objects, {} findings", bundle.objects.len(), findings.len() - before);
        bundles.push(bundle);
    }
    findings.extend(references::unused(&bundles, &tables));
    findings.extend(pins::unused(&bundles, &tables));
    findings.extend(containers::unused(&bundles, &tables));
    findings.extend(charts::check(&root.join(FOLDER), &tables));
    findings.extend(matrix::shape(&tables));
    let (tried, found) = patches::check(&kustomize, &root.join(FOLDER), &[&OVERLAYS[..], &BESIDE[..]].concat())?;
    println!("patches, replicas and images: {tried}, {} that change nothing", found.len());
    println!("questions of who may do what: {}", tables.matrix.len());
    findings.extend(found);
    Ok(findings)
}

#[cfg(test)]
mod tests;
