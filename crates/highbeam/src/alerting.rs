//! Rules and alerts in this process: which rules there are, who is told, what is logged and counted of it. The
//! rules of the order service are part of the program.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use console_alerting::Context;
use console_alerting::notify::{self, Receiver};
use console_alerting::rules::file::Defaults;
use console_alerting::rules::{self, RuleKind, Source, State, Texts};
use console_alerting::service::{Configuration, Event, Service, Tell};
use console_http::alerting::ports;
use console_storage::Store;
use eventsourcing::clock;
use telemetry::scope::{self, Scope};

use crate::ready::{ConsoleAddresses, base_url};
use crate::settings;

/// In `RULE_FILES`: the rules of the order service.
pub(crate) const BUILT_IN: &str = "builtin";
/// In `RULE_FILES`: no rules at all.
const NONE: &str = "none";

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../observability/", $name)))),*]
    };
}

/// The rules and objectives of the order service.
const FILES: [(&str, &str); 5] = built_in![
    "rules/api.yaml",
    "rules/projections.yaml",
    "rules/machine.yaml",
    "rules/telemetry.yaml",
    "slo/orders.yaml",
];

/// Makes the service. Reads the rule files, and what outlived the process before.
pub(crate) fn service(
    settings: &settings::Console,
    store: &Arc<Store>,
    addresses: ConsoleAddresses,
    scope: Scope,
) -> Arc<Service> {
    let console = settings.external_url.clone().unwrap_or_else(|| base_url(addresses.console));
    let context =
        Context { external_url: format!("{console}/prometheus"), external_labels: Texts::new(), ..Context::default() };
    let milliseconds = i64::try_from(settings.evaluation_interval.as_millis()).unwrap_or(i64::MAX);
    let interval = console_alerting::Duration::from_ms(milliseconds);
    let defaults = Defaults { interval, query_offset: console_alerting::Duration::ZERO };
    let receivers = settings.alert_webhooks.iter().enumerate().map(|(position, url)| Receiver {
        name: format!("webhook-{}", position + 1),
        url: url.clone(),
        sends_resolved: true,
    });
    let configuration = Configuration {
        rules: rules::Configuration { sources: sources(&settings.rule_files), defaults, context },
        notifications: notify::Configuration {
            receivers: receivers.collect(),
            external_url: console,
            ..notify::Configuration::default()
        },
        alertmanagers: settings.alertmanager_urls.clone(),
        kept: Some(store.path().with_extension("alerts.json")),
    };
    let tell: Tell = Arc::new(move |event| scope::run(Some(scope.clone()), || tell(event)));
    Arc::new(Service::new(configuration, ports::of_store(store), Arc::new(clock::System), tell))
}

fn sources(files: &[String]) -> Vec<Source> {
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| *file != NONE) {
        match file.as_str() {
            BUILT_IN => sources.extend(FILES.map(|(name, text)| Source::Text { name, text })),
            pattern => sources.push(Source::Paths(pattern.to_owned())),
        }
    }
    sources
}

fn tell(event: Event) {
    match event {
        Event::RuleFile(fault) => {
            let place = if fault.line == 0 { String::new() } else { format!("line {}: ", fault.line) };
            let cause = format!("{place}{}", fault.message);
            tracing::error!(file.path = %fault.file, error.cause = cause, "rule file is not as it has to be");
        }
        Event::NotDelivered { receiver, reason } => {
            tracing::warn!(receiver, error.cause = reason, "notification of alerts was not delivered");
        }
        Event::NotRestored(reason) => tracing::error!(error.cause = reason, "silences could not be read"),
        Event::NotKept(reason) => tracing::error!(error.cause = reason, "silences could not be written"),
    }
}

/// Evaluations of rules by how they ended. Nothing is counted before there is a service.
pub(crate) fn evaluations(service: Option<&Service>) -> Vec<(&'static str, u64)> {
    let counts = service.map(|service| service.rules().counts());
    let [all, failed, missed] = counts.map_or([0; 3], |counts| {
        [&counts.evaluations, &counts.failures, &counts.missed].map(|counter| counter.load(Ordering::Relaxed))
    });
    vec![("ok", all.saturating_sub(failed)), ("failed", failed), ("missed", missed)]
}

/// Notifications by what became of them, those to other Alertmanagers included.
pub(crate) fn notifications(service: Option<&Service>) -> Vec<(&'static str, u64)> {
    let mut all = [0; 3];
    if let Some(service) = service {
        let counts = service.with_dispatcher(|dispatcher, _| dispatcher.counts());
        all = [counts.delivered, counts.failed, counts.dropped];
        for (sent, dropped, failed) in service.forwarders().iter().map(notify::Forwarder::counts) {
            let own = [sent, failed, dropped];
            all.iter_mut().zip(own).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        }
    }
    let [delivered, failed, dropped] = all;
    vec![("delivered", delivered), ("failed", failed), ("dropped", dropped)]
}

/// Alerts that stand, by state.
pub(crate) fn alerts(service: Option<&Service>) -> Vec<(&'static str, u64)> {
    let (mut pending, mut firing) = (0, 0);
    for group in service.map(|service| service.rules().status()).unwrap_or_default() {
        for rule in &group.rules {
            let RuleKind::Alerting(status) = &rule.kind else { continue };
            for alert in status.active() {
                if alert.state == State::Firing { firing += 1 } else { pending += 1 }
            }
        }
    }
    vec![("pending", pending), ("firing", firing)]
}

/// Files that are not as they have to be.
pub(crate) fn faulty_files(service: Option<&Service>) -> u64 {
    let files = service.map(|service| service.rules().files()).unwrap_or_default();
    files.iter().filter(|file| !file.faults.is_empty()).count() as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_rules_and_objectives_is_in_the_program() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../observability");
        let in_folder = |folder: &str| {
            let entries = std::fs::read_dir(format!("{root}/{folder}")).unwrap();
            let names = entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
            names.filter(|name| name.ends_with(".yaml")).collect::<Vec<_>>()
        };
        let there: BTreeSet<String> = [in_folder("rules"), in_folder("slo")].concat().into_iter().collect();
        let known: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, known);
    }

    #[test]
    fn every_alert_has_a_section_of_a_runbook() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let mut sections = 0;
        for (name, text) in FILES {
            let alerts = text.matches("- alert: ").count() + text.matches("kind: SLO").count();
            let named: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: ")).collect();
            assert_eq!(named.len(), alerts, "{name}");
            for place in named {
                let (file, section) = place.split_once('#').unwrap();
                let page =
                    std::fs::read_to_string(format!("{root}/{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
                let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
                assert!(headings.map(str::to_lowercase).any(|heading| heading == section), "{place}");
                sections += 1;
            }
        }
        assert!(sections > 20);
    }

    #[test]
    fn the_settings_name_files_the_built_in_ones_and_none() {
        let sources = |files: &[&str]| sources(&files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>());
        assert_eq!(sources(&["none"]), []);
        assert_eq!(sources(&["a/*.yaml"]), [Source::Paths("a/*.yaml".to_owned())]);
        assert_eq!(sources(&["builtin", "b.yaml"]).len(), FILES.len() + 1);
    }
}
