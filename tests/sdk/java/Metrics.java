import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.Clock;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.Base2ExponentialHistogramOptions;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.View;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Sends one of the content's two sets of metrics, with one preference of temporality. */
final class Metrics {
    private final Main main;
    private final String temporality;
    private final JsonObject times;
    private final List<JsonObject> set = new ArrayList<>();
    private final SetClock clock = new SetClock();
    private int round;

    Metrics(Main main, String temporality) {
        this.main = main;
        this.temporality = temporality;
        this.times = main.content.getAsJsonObject("metrics");
        times.getAsJsonArray(temporality).forEach(metric -> set.add(metric.getAsJsonObject()));
    }

    private static final class SetClock implements Clock {
        private long now;

        @Override
        public long now() {
            return now;
        }

        @Override
        public long nanoTime() {
            return now;
        }
    }

    /** Measures once, with an instrument that it stands for. */
    private interface Recorder {
        void record(JsonElement value, Attributes attributes, Context context);
    }

    void send() {
        clock.now = main.base;
        OpenTelemetrySdk sdk = main.sdk(Map.of("otel.traces.exporter", "none", "otel.logs.exporter", "none",
                        "otel.metric.export.interval", "86400000",
                        "otel.exporter.otlp.metrics.temporality.preference", temporality))
                .addMeterProviderCustomizer((provider, configuration) -> withViews(provider.setClock(clock)))
                .build().getOpenTelemetrySdk();
        List<Recorder> recorders = new ArrayList<>();
        for (JsonObject metric : set) {
            JsonObject scope = main.scope(metric);
            var meter = sdk.getSdkMeterProvider().meterBuilder(scope.get("name").getAsString());
            if (!scope.get("version").getAsString().isEmpty()) {
                meter.setInstrumentationVersion(scope.get("version").getAsString())
                        .setSchemaUrl(scope.get("schemaUrl").getAsString());
            }
            recorders.add(instrument(meter.build(), metric));
        }
        for (round = 0; round < times.getAsJsonArray("roundEndOffsets").size(); round++) {
            clock.now = main.at(times.getAsJsonArray("measuredOffsets").get(round));
            for (int i = 0; i < set.size(); i++) {
                measure(recorders.get(i), set.get(i));
            }
            clock.now = main.at(times.getAsJsonArray("roundEndOffsets").get(round));
            Main.finish(sdk.getSdkMeterProvider().forceFlush(), "metrics");
            set.forEach(this::say);
        }
    }

    private SdkMeterProviderBuilder withViews(SdkMeterProviderBuilder provider) {
        for (JsonObject metric : set) {
            InstrumentSelector selector = InstrumentSelector.builder().setName(metric.get("name").getAsString()).build();
            if (metric.has("exponential")) {
                JsonObject limits = metric.getAsJsonObject("exponential");
                provider.registerView(selector, View.builder().setAggregation(Aggregation.base2ExponentialBucketHistogram(
                        Base2ExponentialHistogramOptions.builder().setMaxBuckets(limits.get("maxSize").getAsInt())
                                .setMaxScale(limits.get("maxScale").getAsInt()).build())).build());
            } else if (metric.has("keepAttributes")) {
                Set<String> keys = new HashSet<>();
                metric.getAsJsonArray("keepAttributes").forEach(key -> keys.add(key.getAsString()));
                provider.registerView(selector, View.builder().setAttributeFilter(keys).build());
            }
        }
        // The exporter's own.
        return provider.registerView(InstrumentSelector.builder().setName("otlp.exporter.*").build(),
                View.builder().setAggregation(Aggregation.drop()).build());
    }

    private Iterable<JsonElement> now(JsonObject metric) {
        return metric.getAsJsonArray("rounds").get(round).getAsJsonArray();
    }

    /** Makes an instrument; one that observes has no recorder. */
    private Recorder instrument(Meter meter, JsonObject metric) {
        String name = metric.get("name").getAsString();
        String unit = metric.get("unit").getAsString();
        String description = metric.get("description").getAsString();
        String kind = metric.get("instrument").getAsString() + " " + metric.get("number").getAsString();
        switch (kind) {
            case "counter int": {
                var made = meter.counterBuilder(name).setUnit(unit).setDescription(description).build();
                return (value, attributes, context) -> made.add(value.getAsLong(), attributes, context);
            }
            case "counter double": {
                var made = meter.counterBuilder(name).ofDoubles().setUnit(unit).setDescription(description).build();
                return (value, attributes, context) -> made.add(value.getAsDouble(), attributes, context);
            }
            case "upDownCounter int": {
                var made = meter.upDownCounterBuilder(name).setUnit(unit).setDescription(description).build();
                return (value, attributes, context) -> made.add(value.getAsLong(), attributes, context);
            }
            case "gauge int": {
                var made = meter.gaugeBuilder(name).ofLongs().setUnit(unit).setDescription(description).build();
                return (value, attributes, context) -> made.set(value.getAsLong(), attributes, context);
            }
            case "gauge double": {
                var made = meter.gaugeBuilder(name).setUnit(unit).setDescription(description).build();
                return (value, attributes, context) -> made.set(value.getAsDouble(), attributes, context);
            }
            case "histogram int": {
                List<Long> bounds = new ArrayList<>();
                metric.getAsJsonArray("boundaries").forEach(bound -> bounds.add((long) bound.getAsDouble()));
                var made = meter.histogramBuilder(name).ofLongs().setUnit(unit).setDescription(description)
                        .setExplicitBucketBoundariesAdvice(bounds).build();
                return (value, attributes, context) -> made.record(value.getAsLong(), attributes, context);
            }
            case "histogram double": {
                var builder = meter.histogramBuilder(name).setUnit(unit).setDescription(description);
                if (metric.has("boundaries")) {
                    List<Double> bounds = new ArrayList<>();
                    metric.getAsJsonArray("boundaries").forEach(bound -> bounds.add(bound.getAsDouble()));
                    builder.setExplicitBucketBoundariesAdvice(bounds);
                }
                var made = builder.build();
                return (value, attributes, context) -> made.record(value.getAsDouble(), attributes, context);
            }
            case "observableCounter int":
                meter.counterBuilder(name).setUnit(unit).setDescription(description)
                        .buildWithCallback(seen -> now(metric).forEach(each -> seen.record(value(each).getAsLong(), attributes(each))));
                return null;
            case "observableUpDownCounter int":
                meter.upDownCounterBuilder(name).setUnit(unit).setDescription(description)
                        .buildWithCallback(seen -> now(metric).forEach(each -> seen.record(value(each).getAsLong(), attributes(each))));
                return null;
            case "observableGauge double":
                meter.gaugeBuilder(name).setUnit(unit).setDescription(description)
                        .buildWithCallback(seen -> now(metric).forEach(each -> seen.record(value(each).getAsDouble(), attributes(each))));
                return null;
            default:
                throw new IllegalArgumentException("this program knows no " + kind);
        }
    }

    private static JsonElement value(JsonElement measurement) {
        return measurement.getAsJsonObject().get("value");
    }

    private static Attributes attributes(JsonElement measurement) {
        return Values.attributes(measurement.getAsJsonObject().getAsJsonArray("attributes"));
    }

    private JsonObject span(JsonObject measurement) {
        return main.content.getAsJsonArray("spans").get(measurement.get("span").getAsInt()).getAsJsonObject();
    }

    private void measure(Recorder recorder, JsonObject metric) {
        if (recorder == null) {
            return;
        }
        for (JsonElement each : now(metric)) {
            Context context = Context.root();
            if (each.getAsJsonObject().has("span")) {
                JsonObject span = span(each.getAsJsonObject());
                context = Main.within(Main.spanContext(Main.textOf(span, "traceId"), Main.textOf(span, "spanId"), "", false));
            }
            recorder.record(value(each), attributes(each), context);
        }
    }

    private void say(JsonObject metric) {
        JsonObject about = metric.deepCopy();
        about.remove("rounds");
        about.remove("scope");
        about.addProperty("temporality", temporality);
        JsonArray measurements = new JsonArray();
        for (JsonElement each : now(metric)) {
            JsonObject said = Main.pick(each.getAsJsonObject(), "value", "attributes");
            said.add("span", each.getAsJsonObject().has("span")
                    ? Main.pick(span(each.getAsJsonObject()), "traceId", "spanId") : JsonNull.INSTANCE);
            measurements.add(said);
        }
        JsonObject line = main.line("metrics", metric);
        line.add("metric", about);
        line.addProperty("exemplars", true);
        line.addProperty("round", round);
        line.addProperty("timeUnixNano", main.text(times.getAsJsonArray("roundEndOffsets").get(round)));
        // Exemplars are given their times by a clock that cannot be set.
        line.add("measuredUnixNano", JsonNull.INSTANCE);
        line.add("measurements", measurements);
        Main.say(line);
    }
}
