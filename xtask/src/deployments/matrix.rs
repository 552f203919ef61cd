//! Who may do what, as a table of questions and answers, asked of the rendered roles and bindings.
//!
//! The evaluator here knows what RBAC's documentation says of rules and bindings, and nothing of other authorizers or of
//! admission: it is quick and needs no cluster, and it is not the API server's own word. That is asked for by
//! `make test-cluster`, over the same table.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Given;
use super::access::is_binding;
use super::bundle::{Bundle, Object};
use super::tables::{Question, Tables};
use super::values::{at, list, text, texts};
use crate::Findings;

/// Fewer questions than these leave too much unasked.
const QUESTIONS_MIN: usize = 150;

pub fn check(given: &Given<'_>) -> Findings {
    let wrong = given.tables.matrix.iter().filter(|question| allows(given.bundle, question) != question.allowed);
    wrong
        .map(|q| {
            let place = if q.namespace.is_empty() { "the cluster".to_owned() } else { q.namespace.clone() };
            let (may, should) = if q.allowed { ("may not", "may") } else { ("may", "may not") };
            format!("{} {may} {} {} in {place}, and by access.tsv it {should}", q.group, q.verb, q.resource)
        })
        .collect()
}

/// Whether the table asks enough, of each group both ways, and nothing twice.
pub fn shape(tables: &Tables) -> Findings {
    let mut findings = Findings::new();
    if tables.matrix.len() < QUESTIONS_MIN {
        findings.push(format!("access.tsv asks {} questions, {QUESTIONS_MIN} are the least", tables.matrix.len()));
    }
    let mut seen = BTreeSet::new();
    for question in &tables.matrix {
        let Question { group, verb, resource, namespace, .. } = question;
        if !seen.insert((group, verb, resource, namespace)) {
            findings.push(format!("access.tsv asks twice whether {group} may {verb} {resource} in {namespace}"));
        }
    }
    let groups: BTreeSet<&String> = tables.matrix.iter().map(|question| &question.group).collect();
    for (group, answer) in groups.into_iter().flat_map(|group| [(group, true), (group, false)]) {
        if !tables.matrix.iter().any(|question| question.group == *group && question.allowed == answer) {
            findings.push(format!("access.tsv never says what {group} {}", if answer { "may" } else { "may not" }));
        }
    }
    findings
}

/// Whether a group may, by any binding.
fn allows(bundle: &Bundle, question: &Question) -> bool {
    let subject = format!("highbeam:{}", question.group);
    let is_meant = |subjects: &Value| text(subjects, "kind") == "Group" && text(subjects, "name") == subject;
    let bindings = bundle.objects.iter().filter(|object| is_binding(object));
    let applies = |binding: &&Object| {
        // A binding of the cluster holds everywhere; one of a namespace only there.
        let here = binding.kind() == "ClusterRoleBinding"
            || (!question.namespace.is_empty() && binding.namespace() == question.namespace);
        here && list(&binding.0, "subjects").iter().any(is_meant)
    };
    bindings.filter(applies).any(|binding| {
        let kind = text(&binding.0, "roleRef/kind");
        let namespace = if kind == "ClusterRole" { "" } else { binding.namespace() };
        let role = bundle.find(kind, namespace, text(&binding.0, "roleRef/name"));
        role.is_some_and(|role| list(&role.0, "rules").iter().any(|rule| covers(rule, question)))
    })
}

fn covers(rule: &Value, question: &Question) -> bool {
    // `deployments.apps/scale`, `pods/exec`: the group is what follows the first dot.
    let (resource, subresource) = match question.resource.split_once('/') {
        Some((resource, rest)) => (resource, Some(rest)),
        None => (question.resource.as_str(), None),
    };
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let whole = subresource.map_or_else(|| resource.to_owned(), |sub| format!("{resource}/{sub}"));
    let of_any = subresource.map(|sub| format!("*/{sub}"));
    let named = at(rule, "resourceNames").and_then(Value::as_array).is_some_and(|names| !names.is_empty());
    let has = |field: &str, wanted: &[&str]| texts(rule, field).iter().any(|word| wanted.contains(word));
    // A rule about names does not answer a question about all of them.
    !named
        && has("apiGroups", &[group, "*"])
        && has("verbs", &[&question.verb, "*"])
        && has("resources", &[&whole, "*", of_any.as_deref().unwrap_or("*")])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(rule: &str, binding: &str) -> Bundle {
        Bundle::read(&format!(
            "kind: ClusterRole\nmetadata: {{name: r}}\nrules: [{rule}]\n---\n{binding}\n\
             roleRef: {{kind: ClusterRole, name: r}}\nsubjects: [{{kind: Group, name: 'highbeam:a'}}]\n"
        ))
        .unwrap()
    }

    fn asked(bundle: &Bundle, line: &str) -> bool {
        allows(bundle, &super::super::tables::questions(line).unwrap()[0])
    }

    const HERE: &str = "kind: RoleBinding\nmetadata: {name: b, namespace: prod}";
    const EVERYWHERE: &str = "kind: ClusterRoleBinding\nmetadata: {name: b}";

    #[test]
    fn a_binding_of_a_namespace_holds_there_alone() {
        let bundle = bundle("{apiGroups: [apps], resources: [deployments], verbs: [get]}", HERE);
        assert!(asked(&bundle, "a get deployments.apps prod allow"));
        for other in [
            "a get deployments.apps dev deny",
            "a get deployments.apps - deny",
            "a list deployments.apps prod deny",
            "a get deployments prod deny",
            "a get deployments.apps/scale prod deny",
            "b get deployments.apps prod deny",
        ] {
            assert!(!asked(&bundle, other), "{other}");
        }
    }

    #[test]
    fn a_binding_of_the_cluster_holds_everywhere() {
        let bundle = bundle("{apiGroups: [''], resources: [nodes], verbs: [get]}", EVERYWHERE);
        assert!(asked(&bundle, "a get nodes - allow") && asked(&bundle, "a get nodes prod allow"));
    }

    #[test]
    fn a_subresource_is_something_else_and_stars_are_known() {
        let exec = "a create pods/exec prod allow";
        assert!(!asked(&bundle("{apiGroups: [''], resources: [pods], verbs: [create]}", HERE), exec));
        assert!(asked(&bundle("{apiGroups: [''], resources: [pods/exec], verbs: [create]}", HERE), exec));
        assert!(asked(&bundle("{apiGroups: [''], resources: ['*/exec'], verbs: ['*']}", HERE), exec));
        assert!(asked(&bundle("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}", HERE), exec));
    }

    #[test]
    fn a_rule_about_one_name_is_none_about_all() {
        let rule = "{apiGroups: [''], resources: [pods], verbs: [get], resourceNames: [one]}";
        assert!(!asked(&bundle(rule, HERE), "a get pods prod deny"));
    }
}
