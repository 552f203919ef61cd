import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.logs.LogLimits;
import java.util.Arrays;
import java.util.Map;

/** Sends the content's log records. */
final class Logs {
    private final Main main;

    Logs(Main main) {
        this.main = main;
    }

    void send() {
        LogLimits limits = LogLimits.builder().setMaxNumberOfAttributes(main.limit("attributes")).build();
        OpenTelemetrySdk sdk = main.sdk(Map.of("otel.metrics.exporter", "none", "otel.traces.exporter", "none"))
                .addLoggerProviderCustomizer((provider, configuration) -> provider.setLogLimits(() -> limits))
                .build().getOpenTelemetrySdk();
        for (JsonElement each : main.content.getAsJsonArray("logs")) {
            JsonObject item = each.getAsJsonObject();
            JsonObject scope = main.scope(item);
            var logger = sdk.getSdkLoggerProvider().loggerBuilder(scope.get("name").getAsString());
            if (!scope.get("version").getAsString().isEmpty()) {
                logger.setInstrumentationVersion(scope.get("version").getAsString())
                        .setSchemaUrl(scope.get("schemaUrl").getAsString());
            }
            emit(logger.build().logRecordBuilder(), item);
            say(item);
        }
        Main.finish(sdk.getSdkLoggerProvider().shutdown(), "log records");
    }

    private void emit(LogRecordBuilder record, JsonObject item) {
        if (!item.get("offset").isJsonNull()) {
            record.setTimestamp(main.at(item.get("offset")), NANOSECONDS);
        }
        record.setObservedTimestamp(main.at(item.get("observedOffset")), NANOSECONDS);
        int severity = item.get("severityNumber").getAsInt();
        if (severity > 0) {
            record.setSeverity(Arrays.stream(Severity.values())
                    .filter(each -> each.getSeverityNumber() == severity).findFirst().orElseThrow());
            record.setSeverityText(Main.textOf(item, "severityText"));
        }
        if (!item.get("body").isJsonNull()) {
            record.setBody(Values.value(item.getAsJsonObject("body")));
        }
        if (!Main.textOf(item, "eventName").isEmpty()) {
            record.setEventName(Main.textOf(item, "eventName"));
        }
        for (JsonElement pair : item.getAsJsonArray("attributes")) {
            Values.put(pair.getAsJsonObject(), new Values.Taker() {
                @Override
                public <T> void take(AttributeKey<T> key, T value) {
                    record.setAttribute(key, value);
                }
            });
        }
        String span = Main.textOf(item, "spanId");
        record.setContext(span.isEmpty() ? Context.root()
                : Main.within(Main.spanContext(Main.textOf(item, "traceId"), span, "", false)));
        record.emit();
    }

    private void say(JsonObject item) {
        JsonObject said = Main.pick(item, "severityNumber", "severityText", "body", "traceId", "spanId", "eventName");
        said.addProperty("timeUnixNano", item.get("offset").isJsonNull() ? "0" : main.text(item.get("offset")));
        said.addProperty("observedTimeUnixNano", main.text(item.get("observedOffset")));
        said.addProperty("flags", Main.textOf(item, "spanId").isEmpty() ? 0 : 1);
        Main.limit(said, "attributes", item.getAsJsonArray("attributes"), main.limit("attributes"));
        JsonObject line = main.line("logs", item);
        line.add("item", said);
        Main.say(line);
    }
}
