//! The table of charts: each in exactly one version, with values that belong to it, and a digest or a reason for none.

use std::collections::BTreeSet;
use std::path::Path;

use super::tables::Tables;
use crate::Findings;

/// A line of `charts.tsv`.
struct Chart<'a> {
    stage: &'a str,
    overlay: &'a str,
    release: &'a str,
    source: &'a str,
    version: &'a str,
    digest: &'a str,
}

/// The order that they are installed in.
const STAGES: [&str; 3] = ["crds", "controllers", "system"];

/// What is wrong with the table of a folder.
pub fn check(folder: &Path, tables: &Tables) -> Findings {
    match std::fs::read_to_string(folder.join("charts.tsv")) {
        Ok(text) => judge(&text, &values(folder), tables),
        Err(error) => vec![format!("charts.tsv cannot be read: {error}")],
    }
}

/// The folders that hold values.
fn values(folder: &Path) -> BTreeSet<String> {
    let folders = std::fs::read_dir(folder.join("charts")).into_iter().flatten().flatten();
    let has_values = folders.filter(|entry| entry.path().join("values.yaml").is_file());
    has_values.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn judge(text: &str, values: &BTreeSet<String>, tables: &Tables) -> Findings {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut findings, mut seen, mut stage) = (Findings::new(), BTreeSet::new(), 0);
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [of, overlay, release, _, source, version, digest] = words[..] else {
            findings
                .push(format!("charts.tsv: \"{line}\" has to be STAGE FOR RELEASE NAMESPACE SOURCE VERSION DIGEST"));
            continue;
        };
        let chart = Chart { stage: of, overlay, release, source, version, digest };
        match STAGES.iter().position(|known| *known == chart.stage) {
            Some(position) if position >= stage => stage = position,
            Some(_) => findings.push(format!("charts.tsv: {release} is of {of}, and comes after a later stage")),
            None => findings.push(format!("charts.tsv: {release} is of {of}, which is no stage")),
        }
        findings
            .extend(faults(&chart, values, tables).into_iter().map(|fault| format!("charts.tsv: {release} {fault}")));
        if !seen.insert(release.to_owned()) {
            findings.push(format!("charts.tsv: {release} is there twice"));
        }
    }
    findings.extend(values.difference(&seen).map(|name| format!("charts/{name} are values of no chart of charts.tsv")));
    let excused: BTreeSet<&String> = tables.charts.iter().map(|chart| &chart.release).collect();
    let unknown = excused.into_iter().filter(|release| !seen.contains(*release));
    findings.extend(unknown.map(|release| format!("pins.yaml: charts.tsv has no {release}")));
    findings
}

fn faults(chart: &Chart<'_>, values: &BTreeSet<String>, tables: &Tables) -> Vec<String> {
    let mut faults = Vec::new();
    let numbers = chart.version.trim_start_matches('v').split('.').collect::<Vec<_>>();
    if numbers.len() != 3 || numbers.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
        faults.push(format!("has the version {}, which is not exactly one", chart.version));
    }
    if !["all", "dev", "prod", "prod-ambient"].contains(&chart.overlay) {
        faults.push(format!("is for {}, which is no overlay", chart.overlay));
    }
    let is_file = chart.source.ends_with(".yaml");
    if is_file && !chart.source.contains(chart.version) {
        faults.push("is a file of another version".to_owned());
    }
    if !is_file && !values.contains(chart.release) {
        faults.push(format!("has no charts/{}/values.yaml", chart.release));
    }
    let why = tables.charts.iter().find(|excused| excused.release == chart.release).map(|excused| &excused.why);
    match (chart.digest.strip_prefix("sha256:"), why) {
        (Some(hex), _) if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            faults.push(format!("has no digest in {}", chart.digest));
        }
        (Some(_), Some(why)) => faults.push(format!("has a digest, and pins.yaml says why it has none ({why})")),
        (None, None) => faults.push("has no digest, and pins.yaml does not say why".to_owned()),
        _ => {}
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployments::tables::PinnedByVersion;

    const GOOD: &str = "# A comment.\ncrds all a - https://somewhere/v1.2.3/all.yaml v1.2.3 -\ncontrollers prod b ns oci://somewhere/b 1.2.3 -\n";

    fn found(text: &str) -> Findings {
        let charts = ["a", "b"].map(|name| PinnedByVersion { release: name.into(), why: "nobody tells".into() });
        let tables = Tables { charts: charts.into(), ..Tables::default() };
        judge(text, &BTreeSet::from(["b".to_owned()]), &tables)
    }

    #[test]
    fn each_fault_of_the_table_is_found() {
        assert_eq!(found(GOOD), Findings::new());
        let digest = format!("1.2.3 sha256:{}", "a".repeat(64));
        for (from, to, expected) in [
            ("b 1.2.3", "b 1.2", "charts.tsv: b has the version 1.2,"),
            ("b 1.2.3", "b ^1.2.3", "charts.tsv: b has the version ^1.2.3,"),
            ("prod b", "test b", "charts.tsv: b is for test"),
            ("controllers", "control", "charts.tsv: b is of control"),
            ("crds all", "system all", "charts.tsv: b is of controllers, and comes after"),
            ("somewhere/v1.2.3", "somewhere/v1.2.2", "charts.tsv: a is a file of another version"),
            ("prod b", "prod c", "charts/b are values of no chart"),
            ("prod b", "prod c", "charts.tsv: c has no digest, and pins.yaml"),
            ("prod b", "prod a", "charts.tsv: a is there twice"),
            ("b 1.2.3 -", "b 1.2.3 sha256:a", "charts.tsv: b has no digest in sha256:a"),
            ("1.2.3 -\n", &format!("{digest}\n"), "charts.tsv: b has a digest, and pins.yaml"),
            (" -\n", "\n", "charts.tsv: \"crds all a"),
        ] {
            assert!(GOOD.contains(from), "there is nothing to break: {from}");
            let found = found(&GOOD.replace(from, to));
            assert!(found.iter().any(|finding| finding.starts_with(expected)), "{to}: {found:#?}");
        }
    }
}
