//! Labels of a point, made of its attributes; and those that all points of a resource and a scope have.

use std::borrow::Cow;

use console_model::{Resource, Scope, Value};

use super::emit::{NAME, Reason};
use super::name::push_label;

/// Names and values of labels.
pub(super) type Pairs = Vec<(String, String)>;

/// Attributes of a resource that become `job` and `instance`, and nothing else.
const IDENTIFYING: [&str; 3] = ["service.name", "service.namespace", "service.instance.id"];

/// `job` and `instance`, as far as the resource leads to them.
pub(super) fn of_resource(resource: &Resource) -> Pairs {
    let text = |key: &str| resource.attributes.get(key).map(Value::to_string).filter(|text| !text.is_empty());
    let mut pairs = Pairs::new();
    if let Some(name) = text("service.name") {
        let job = text("service.namespace").map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
        pairs.push(("job".into(), job));
    }
    pairs.extend(text("service.instance.id").map(|instance| ("instance".into(), instance)));
    pairs
}

/// The labels of a resource's `target_info`, besides those that [`of_resource`] gives.
pub(super) fn of_target(resource: &Resource) -> Pairs {
    let others = resource.attributes.iter().filter(|attribute| !IDENTIFYING.contains(&attribute.key.as_str()));
    let mut labels = PointLabels::default();
    let pairs: Vec<_> = others
        .filter(|attribute| !attribute.key.is_empty())
        .map(|attribute| (Cow::from(attribute.key.as_str()), Cow::from(attribute.value.to_string())))
        .collect();
    match labels.fill(&pairs) {
        Ok(()) => labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        Err(_) => Pairs::new(),
    }
}

/// `otel_scope_name`, `otel_scope_version`, `otel_scope_schema_url`, and the scope's attributes likewise;
/// none where the scope has no name.
pub(super) fn of_scope(scope: &Scope) -> Pairs {
    let mut pairs = Pairs::new();
    if scope.name.is_empty() {
        return pairs;
    }
    for attribute in &scope.attributes {
        let mut name = String::new();
        push_label(&mut name, &format!("otel_scope_{}", attribute.key));
        pairs.push((name, attribute.value.to_string()));
    }
    for (name, value) in [
        ("otel_scope_name", &scope.name),
        ("otel_scope_version", &scope.version),
        ("otel_scope_schema_url", &scope.schema_url),
    ] {
        pairs.push((name.into(), value.to_string()));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

/// The labels of a family, made of these: sorted, with a place for the name. The latter of the same name holds.
pub(super) fn base(parts: &[&Pairs]) -> Pairs {
    let mut pairs: Pairs = parts.iter().flat_map(|pairs| pairs.iter().cloned()).collect();
    pairs.push((NAME.into(), String::new()));
    pairs.reverse();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs.dedup_by(|a, b| a.0 == b.0);
    pairs
}

/// The labels of one point, sorted by name. One of these serves many points, so that nothing is allocated for each.
#[derive(Debug, Default)]
pub(super) struct PointLabels {
    text: String,
    /// Where each name begins, where its value begins, where that ends.
    places: Vec<(usize, usize, usize)>,
}

impl PointLabels {
    /// Takes the labels of these attributes instead of what was here.
    pub(super) fn fill(&mut self, attributes: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<(), Reason> {
        self.text.clear();
        self.places.clear();
        for (key, value) in attributes {
            if key.is_empty() {
                return Err("an attribute without a key cannot become a label".into());
            }
            let start = self.text.len();
            push_label(&mut self.text, key);
            let middle = self.text.len();
            self.text.push_str(value);
            self.places.push((start, middle, self.text.len()));
        }
        let text = self.text.as_bytes();
        let name = |place: &(usize, usize, usize)| text.get(place.0..place.1).unwrap_or_default();
        if !self.places.is_sorted_by(|a, b| name(a) < name(b)) {
            self.places.sort_unstable_by(|a, b| name(a).cmp(name(b)));
            if self.places.windows(2).any(|pair| pair.first().map(name) == pair.last().map(name)) {
                self.join(attributes);
            }
        }
        Ok(())
    }

    /// Names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let slice = |start: usize, end: usize| self.text.get(start..end).unwrap_or_default();
        self.places.iter().map(move |(start, middle, end)| (slice(*start, *middle), slice(*middle, *end)))
    }

    /// Attributes that come to the same name become one label: values joined by semicolons, in the order of
    /// the attributes' keys, as OpenTelemetry's rules have it.
    fn join(&mut self, attributes: &[(Cow<'_, str>, Cow<'_, str>)]) {
        let named = attributes.iter().map(|(key, value)| {
            let mut name = String::new();
            push_label(&mut name, key);
            (name, key, value)
        });
        let mut named: Vec<_> = named.collect();
        named.sort();
        self.text.clear();
        self.places.clear();
        for same in named.chunk_by(|a, b| a.0 == b.0) {
            let start = self.text.len();
            self.text.extend(same.first().map(|first| first.0.as_str()));
            let middle = self.text.len();
            for (position, (_, _, value)) in same.iter().enumerate() {
                self.text.push_str(if position > 0 { ";" } else { "" });
                self.text.push_str(value);
            }
            self.places.push((start, middle, self.text.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use console_model::Attribute;

    use super::*;

    fn filled(pairs: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let attributes: Vec<_> = pairs.iter().map(|(key, value)| (Cow::from(*key), Cow::from(*value))).collect();
        let mut labels = PointLabels::default();
        labels.fill(&attributes).unwrap();
        labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn keys_that_come_to_the_same_name_are_joined() {
        let expected = [("a_b".to_owned(), "1;2;3".to_owned()), ("c".to_owned(), "4".to_owned())];
        assert_eq!(filled(&[("a_b", "3"), ("c", "4"), ("a.b", "2"), ("a-b", "1")]), expected);
    }

    #[test]
    fn a_resource_becomes_job_and_instance_and_the_rest_its_target() {
        let pairs =
            [("service.name", "api"), ("service.namespace", "shop"), ("service.instance.id", "1"), ("host.name", "a")];
        let attributes = pairs.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
        let resource = Resource { attributes, ..Resource::default() };
        let text = |pairs: Pairs| pairs.iter().map(|(name, value)| format!("{name}={value} ")).collect::<String>();
        assert_eq!(text(of_resource(&resource)), "job=shop/api instance=1 ");
        assert_eq!(text(of_target(&resource)), "host_name=a ");
    }
}
