//! Service level objectives in OpenSLO's format (v1), as rules: how much of the error budget is spent, and alerts
//! when it is spent too fast. The windows and factors are those of the SRE Workbook, "Alerting on SLOs",
//! multiwindow and multi-burn-rate.

mod burn_rate;
mod openslo;

use serde_saphyr::Location;

use crate::rules::file::Fault;

/// Whether a text is one of OpenSLO's.
pub fn is_openslo(text: &str) -> bool {
    text.lines().any(|line| line.trim_end().strip_prefix("apiVersion:").is_some_and(|rest| rest.contains("openslo/")))
}

/// The rules of a file of objectives, as the text of a rule file.
///
/// # Errors
/// What is wrong with the first objective that is not as it has to be. The file's name is left empty.
pub fn rules(text: &str) -> Result<String, Fault> {
    let fault = |location: Location, message: String| Fault {
        file: "".into(),
        line: location.line(),
        column: location.column(),
        message,
    };
    let objectives = openslo::read(text).map_err(|(location, message)| fault(location, message))?;
    let mut rules = String::from("# Made from service level objectives.\ngroups:\n");
    objectives.iter().for_each(|objective| burn_rate::write(objective, &mut rules));
    if objectives.is_empty() { Ok(String::new()) } else { Ok(rules) }
}

#[cfg(test)]
mod tests;
