import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Turns OTLP's JSON of values into what the SDK takes. */
final class Values {
    private Values() {}

    static Attributes attributes(JsonArray pairs) {
        AttributesBuilder builder = Attributes.builder();
        for (JsonElement pair : pairs) {
            put(pair.getAsJsonObject(), builder::put);
        }
        return builder.build();
    }

    /** Takes an attribute: a span or a log record, say. */
    interface Taker {
        <T> void take(AttributeKey<T> key, T value);
    }

    static void put(JsonObject pair, Taker taker) {
        String key = pair.get("key").getAsString();
        var field = only(pair.getAsJsonObject("value"));
        JsonElement inner = field.getValue();
        switch (field.getKey()) {
            case "stringValue" -> taker.take(AttributeKey.stringKey(key), inner.getAsString());
            case "boolValue" -> taker.take(AttributeKey.booleanKey(key), inner.getAsBoolean());
            case "intValue" -> taker.take(AttributeKey.longKey(key), Long.parseLong(inner.getAsString()));
            case "doubleValue" -> taker.take(AttributeKey.doubleKey(key), inner.getAsDouble());
            case "arrayValue" -> putArray(key, inner.getAsJsonObject(), taker);
            default -> taker.take(AttributeKey.valueKey(key), value(pair.getAsJsonObject("value")));
        }
    }

    /** An array of one type has a key of its own, as instrumentation uses it. */
    private static void putArray(String key, JsonObject array, Taker taker) {
        List<Map.Entry<String, JsonElement>> values = new ArrayList<>();
        for (JsonElement each : array.getAsJsonArray("values")) {
            values.add(only(each.getAsJsonObject()));
        }
        List<String> kinds = values.stream().map(Map.Entry::getKey).distinct().toList();
        switch (kinds.size() > 1 ? "mixed" : kinds.isEmpty() ? "stringValue" : kinds.get(0)) {
            case "stringValue" -> taker.take(AttributeKey.stringArrayKey(key), all(values, JsonElement::getAsString));
            case "boolValue" -> taker.take(AttributeKey.booleanArrayKey(key), all(values, JsonElement::getAsBoolean));
            case "intValue" -> taker.take(AttributeKey.longArrayKey(key), all(values, each -> Long.parseLong(each.getAsString())));
            case "doubleValue" -> taker.take(AttributeKey.doubleArrayKey(key), all(values, JsonElement::getAsDouble));
            default -> {
                JsonObject whole = new JsonObject();
                whole.add("arrayValue", array);
                taker.take(AttributeKey.valueKey(key), value(whole));
            }
        }
    }

    private static <T> List<T> all(List<Map.Entry<String, JsonElement>> values, Function<JsonElement, T> read) {
        return values.stream().map(each -> read.apply(each.getValue())).toList();
    }

    static Value<?> value(JsonObject any) {
        var field = only(any);
        JsonElement inner = field.getValue();
        return switch (field.getKey()) {
            case "stringValue" -> Value.of(inner.getAsString());
            case "boolValue" -> Value.of(inner.getAsBoolean());
            case "intValue" -> Value.of(Long.parseLong(inner.getAsString()));
            case "doubleValue" -> Value.of(inner.getAsDouble());
            case "bytesValue" -> Value.of(Base64.getDecoder().decode(inner.getAsString()));
            case "arrayValue" -> {
                List<Value<?>> values = new ArrayList<>();
                inner.getAsJsonObject().getAsJsonArray("values").forEach(each -> values.add(value(each.getAsJsonObject())));
                yield Value.of(values);
            }
            case "kvlistValue" -> {
                List<KeyValue> pairs = new ArrayList<>();
                for (JsonElement each : inner.getAsJsonObject().getAsJsonArray("values")) {
                    JsonObject pair = each.getAsJsonObject();
                    pairs.add(KeyValue.of(pair.get("key").getAsString(), value(pair.getAsJsonObject("value"))));
                }
                yield Value.of(pairs.toArray(new KeyValue[0]));
            }
            default -> throw new IllegalArgumentException("content.json has a value of the kind " + field.getKey());
        };
    }

    private static Map.Entry<String, JsonElement> only(JsonObject any) {
        return any.entrySet().iterator().next();
    }
}
