import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.TraceStateBuilder;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Sends tests/sdk/content.json through OpenTelemetry's SDK for Java to where the OTEL_* variables say, and
 * prints what it handed to the SDK, one JSON line each. What the SDK cannot express is left out of the lines
 * and named in the first one. README.md says what the lines mean.
 */
final class Main {
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    final JsonObject content;
    final long base;

    private Main(JsonObject content, long base) {
        this.content = content;
        this.base = base;
    }

    public static void main(String[] arguments) throws Exception {
        String text = Files.readString(Path.of(environment("SDK_CONTENT", "../content.json")))
                .replace("{run}", environment("SDK_RUN", "5d000001"))
                .replace("{service}", environment("OTEL_SERVICE_NAME", "sdk-java"));
        Main main = new Main(JsonParser.parseString(text).getAsJsonObject(),
                Long.parseLong(environment("SDK_BASE_TIME_NS", "1795600000123456789")));
        say(GSON.toJsonTree(Map.of("signal", "sdk", "language", "java", "version", version(),
                "protocol", environment("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                "notExpressed", new String[] {"attributes of scopes", "the times of exemplars"})).getAsJsonObject());
        new Spans(main).send();
        new Logs(main).send();
        new Metrics(main, "cumulative").send();
        new Metrics(main, "delta").send();
        // Without shutting down: that would collect the metrics once more.
        System.exit(0);
    }

    private static String version() {
        return Resource.getDefault().getAttribute(io.opentelemetry.api.common.AttributeKey.stringKey("telemetry.sdk.version"));
    }

    static String environment(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    static void say(JsonObject line) {
        OUT.println(GSON.toJson(line));
    }

    /** An SDK that is configured by the OTEL_* variables, with one signal and the content's resource alone. */
    AutoConfiguredOpenTelemetrySdkBuilder sdk(Map<String, String> properties) {
        JsonObject about = content.getAsJsonObject("resource");
        Resource resource = Resource.create(Values.attributes(about.getAsJsonArray("attributes")), about.get("schemaUrl").getAsString());
        return AutoConfiguredOpenTelemetrySdk.builder()
                .disableShutdownHook()
                .addPropertiesCustomizer(given -> properties)
                .addResourceCustomizer((given, configuration) -> resource);
    }

    static void finish(CompletableResultCode sending, String what) {
        if (!sending.join(30, TimeUnit.SECONDS).isSuccess()) {
            System.err.println("sending " + what + " failed");
            System.exit(1);
        }
    }

    long at(JsonElement offset) {
        return base + offset.getAsLong();
    }

    String text(JsonElement offset) {
        return Long.toString(at(offset));
    }

    JsonObject scope(JsonObject item) {
        return content.getAsJsonArray("scopes").get(item.get("scope").getAsInt()).getAsJsonObject();
    }

    /** What a line starts with; scopes have no attributes. */
    JsonObject line(String signal, JsonObject item) {
        JsonObject line = new JsonObject();
        line.addProperty("signal", signal);
        line.add("resource", content.get("resource"));
        JsonObject scope = scope(item).deepCopy();
        scope.add("attributes", new JsonArray());
        line.add("scope", scope);
        return line;
    }

    static JsonObject pick(JsonObject from, String... keys) {
        JsonObject picked = new JsonObject();
        for (String key : keys) {
            picked.add(key, from.get(key));
        }
        return picked;
    }

    /** The SDK keeps the first of too many. */
    static void limit(JsonObject said, String name, JsonArray items, int limit) {
        JsonArray kept = new JsonArray();
        for (int i = 0; i < Math.min(items.size(), limit); i++) {
            kept.add(items.get(i));
        }
        said.add(name, kept);
        String dropped = "dropped" + name.substring(0, 1).toUpperCase(java.util.Locale.ROOT) + name.substring(1) + "Count";
        said.addProperty(dropped, items.size() - kept.size());
    }

    int limit(String of) {
        return content.getAsJsonObject("limits").get(of).getAsInt();
    }

    static String textOf(JsonObject item, String key) {
        return item.has(key) ? item.get(key).getAsString() : "";
    }

    static SpanContext spanContext(String traceId, String spanId, String state, boolean isRemote) {
        TraceStateBuilder builder = TraceState.builder();
        // The builder puts each new one in front.
        String[] members = state.isEmpty() ? new String[0] : state.split(",");
        for (int i = members.length - 1; i >= 0; i--) {
            builder.put(members[i].split("=")[0], members[i].split("=", 2)[1]);
        }
        return isRemote
                ? SpanContext.createFromRemoteParent(traceId, spanId, TraceFlags.getSampled(), builder.build())
                : SpanContext.create(traceId, spanId, TraceFlags.getSampled(), builder.build());
    }

    static Context within(SpanContext span) {
        return Context.root().with(Span.wrap(span));
    }
}
