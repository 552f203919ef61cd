import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.SpanLimits;
import java.util.Map;

/** Sends the content's spans. */
final class Spans {
    private final Main main;

    Spans(Main main) {
        this.main = main;
    }

    /** Gives the next span of the content the ids that stand there. */
    private static final class Ids implements IdGenerator {
        private JsonObject next;

        @Override
        public String generateTraceId() {
            return next.get("traceId").getAsString();
        }

        @Override
        public String generateSpanId() {
            return next.get("spanId").getAsString();
        }
    }

    void send() {
        Ids ids = new Ids();
        SpanLimits limits = SpanLimits.builder().setMaxNumberOfAttributes(main.limit("attributes"))
                .setMaxNumberOfEvents(main.limit("events")).setMaxNumberOfLinks(main.limit("links")).build();
        OpenTelemetrySdk sdk = main.sdk(Map.of("otel.metrics.exporter", "none", "otel.logs.exporter", "none"))
                .addTracerProviderCustomizer((provider, configuration) -> provider.setIdGenerator(ids).setSpanLimits(limits))
                .build().getOpenTelemetrySdk();
        for (JsonElement each : main.content.getAsJsonArray("spans")) {
            ids.next = each.getAsJsonObject();
            JsonObject scope = main.scope(ids.next);
            var tracer = sdk.getSdkTracerProvider().tracerBuilder(scope.get("name").getAsString());
            if (!scope.get("version").getAsString().isEmpty()) {
                tracer.setInstrumentationVersion(scope.get("version").getAsString())
                        .setSchemaUrl(scope.get("schemaUrl").getAsString());
            }
            record(tracer.build(), ids.next);
            say(ids.next);
        }
        Main.finish(sdk.getSdkTracerProvider().shutdown(), "spans");
    }

    private void record(Tracer tracer, JsonObject item) {
        SpanBuilder builder = tracer.spanBuilder(item.get("name").getAsString())
                .setSpanKind(SpanKind.values()[item.get("kind").getAsInt() - 1])
                .setStartTimestamp(main.at(item.get("startOffset")), NANOSECONDS).setParent(parent(item));
        for (JsonElement each : item.getAsJsonArray("links")) {
            JsonObject link = each.getAsJsonObject();
            SpanContext other = Main.spanContext(Main.textOf(link, "traceId"), Main.textOf(link, "spanId"),
                    Main.textOf(link, "traceState"), link.get("isRemote").getAsBoolean());
            builder.addLink(other, Values.attributes(link.getAsJsonArray("attributes")));
        }
        Span span = builder.startSpan();
        for (JsonElement pair : item.getAsJsonArray("attributes")) {
            Values.put(pair.getAsJsonObject(), new Values.Taker() {
                @Override
                public <T> void take(AttributeKey<T> key, T value) {
                    span.setAttribute(key, value);
                }
            });
        }
        for (JsonElement each : item.getAsJsonArray("events")) {
            JsonObject event = each.getAsJsonObject();
            span.addEvent(event.get("name").getAsString(), Values.attributes(event.getAsJsonArray("attributes")),
                    main.at(event.get("offset")), NANOSECONDS);
        }
        JsonObject status = item.getAsJsonObject("status");
        if (status.has("code")) {
            span.setStatus(StatusCode.values()[status.get("code").getAsInt()], Main.textOf(status, "message"));
        }
        span.end(main.at(item.get("endOffset")), NANOSECONDS);
    }

    private static Context parent(JsonObject item) {
        String parent = Main.textOf(item, "parentSpanId");
        return parent.isEmpty() ? Context.root() : Main.within(Main.spanContext(Main.textOf(item, "traceId"), parent,
                Main.textOf(item, "traceState"), item.get("parentIsRemote").getAsBoolean()));
    }

    private static int flags(JsonElement isRemote) {
        return isRemote.getAsBoolean() ? 0x301 : 0x101;
    }

    private void say(JsonObject item) {
        JsonObject said = Main.pick(item, "traceId", "spanId", "parentSpanId", "traceState", "name", "kind", "status");
        said.addProperty("flags", flags(item.get("parentIsRemote")));
        said.addProperty("startTimeUnixNano", main.text(item.get("startOffset")));
        said.addProperty("endTimeUnixNano", main.text(item.get("endOffset")));
        JsonArray events = new JsonArray();
        for (JsonElement each : item.getAsJsonArray("events")) {
            JsonObject event = Main.pick(each.getAsJsonObject(), "name", "attributes");
            event.addProperty("timeUnixNano", main.text(each.getAsJsonObject().get("offset")));
            events.add(event);
        }
        JsonArray links = new JsonArray();
        for (JsonElement each : item.getAsJsonArray("links")) {
            JsonObject link = Main.pick(each.getAsJsonObject(), "traceId", "spanId", "traceState", "attributes");
            link.addProperty("flags", flags(each.getAsJsonObject().get("isRemote")));
            links.add(link);
        }
        Main.limit(said, "attributes", item.getAsJsonArray("attributes"), main.limit("attributes"));
        Main.limit(said, "events", events, main.limit("events"));
        Main.limit(said, "links", links, main.limit("links"));
        JsonObject line = main.line("traces", item);
        line.add("item", said);
        Main.say(line);
    }
}
