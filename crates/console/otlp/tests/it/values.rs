//! Random values of the model, and the same values as the messages of `opentelemetry-proto`.

use std::sync::Arc;

use console_model::{Attribute, Attributes, Resource, Scope, SpanId, TraceId, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z.]{0,12}", 1 => ".{0,40}", 1 => "[\u{0}-\u{1f}\"\\\\/\u{7f}\u{2028}😀]{0,8}"]
}

pub(crate) fn double() -> impl Strategy<Value = f64> {
    let special = [0.0, -0.0, 1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX];
    prop_oneof![
        any::<f64>().prop_filter("one NaN is enough", |number| !number.is_nan()),
        prop::sample::select(special.to_vec())
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Empty),
        text().prop_map(|text| Value::String(text.into())),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        double().prop_map(Value::Double),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((text(), inner), 0..4).prop_map(|pairs| Value::Map(of_pairs(pairs))),
        ]
    })
}

fn of_pairs(pairs: Vec<(String, Value)>) -> Attributes {
    pairs.into_iter().map(|(key, value)| Attribute { key: key.into(), value }).collect()
}

pub(crate) fn attributes() -> impl Strategy<Value = Attributes> {
    vec((text(), value()), 0..5).prop_map(of_pairs)
}

pub(crate) fn resource() -> impl Strategy<Value = Arc<Resource>> {
    (attributes(), prop::option::of("[a-z]{1,8}"), any::<u32>(), text()).prop_map(
        |(mut attributes, service, count, url)| {
            if let Some(service) = service {
                attributes.push("service.name", service.as_str());
            }
            Arc::new(Resource { attributes, dropped_attributes_count: count, schema_url: url.into() })
        },
    )
}

pub(crate) fn scope() -> impl Strategy<Value = Arc<Scope>> {
    (text(), text(), attributes(), any::<u32>(), text()).prop_map(|(name, version, attributes, count, url)| {
        Arc::new(Scope {
            name: name.into(),
            version: version.into(),
            attributes,
            dropped_attributes_count: count,
            schema_url: url.into(),
        })
    })
}

pub(crate) fn trace_id() -> impl Strategy<Value = TraceId> {
    (1..=u128::MAX).prop_map(|id| TraceId::new(id).unwrap())
}

pub(crate) fn span_id() -> impl Strategy<Value = SpanId> {
    (1..=u64::MAX).prop_map(|id| SpanId::new(id).unwrap())
}

pub(crate) fn proto_value(value: &Value) -> AnyValue {
    let value = match value {
        Value::Empty => None,
        Value::String(text) => Some(ProtoValue::StringValue(text.to_string())),
        Value::Bool(truth) => Some(ProtoValue::BoolValue(*truth)),
        Value::Int(number) => Some(ProtoValue::IntValue(*number)),
        Value::Double(number) => Some(ProtoValue::DoubleValue(*number)),
        Value::Bytes(bytes) => Some(ProtoValue::BytesValue(bytes.to_vec())),
        Value::Array(values) => {
            Some(ProtoValue::ArrayValue(ArrayValue { values: values.iter().map(proto_value).collect() }))
        }
        Value::Map(pairs) => Some(ProtoValue::KvlistValue(KeyValueList { values: proto_attributes(pairs) })),
    };
    AnyValue { value }
}

pub(crate) fn proto_attributes(attributes: &Attributes) -> Vec<KeyValue> {
    let pair = |attribute: &Attribute| KeyValue {
        key: attribute.key.to_string(),
        value: Some(proto_value(&attribute.value)),
        ..KeyValue::default()
    };
    attributes.iter().map(pair).collect()
}

pub(crate) fn proto_resource(resource: &Resource) -> ProtoResource {
    ProtoResource {
        attributes: proto_attributes(&resource.attributes),
        dropped_attributes_count: resource.dropped_attributes_count,
        ..ProtoResource::default()
    }
}

pub(crate) fn proto_scope(scope: &Scope) -> InstrumentationScope {
    InstrumentationScope {
        name: scope.name.to_string(),
        version: scope.version.to_string(),
        attributes: proto_attributes(&scope.attributes),
        dropped_attributes_count: scope.dropped_attributes_count,
    }
}
