// Sends tests/sdk/content.json through OpenTelemetry's SDK for Go to where the OTEL_* variables say, and
// prints what it handed to the SDK, one JSON line each. What the SDK cannot express is left out of the lines
// and named in the first one. ../README.md says what the lines mean.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

type pair struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

type scope struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	SchemaURL  string `json:"schemaUrl"`
	Attributes []pair `json:"attributes"`
}

type resourceAbout struct {
	SchemaURL  string `json:"schemaUrl"`
	Attributes []pair `json:"attributes"`
}

type content struct {
	Limits   struct{ Attributes, Events, Links int }
	Resource resourceAbout
	Scopes   []scope
	Spans    []spanItem
	Logs     []logItem
	Metrics  metricSets
}

// A line is what is printed; its order of keys does not matter.
type line map[string]any

type program struct {
	content  content
	base     int64
	protocol string
	resource *resource.Resource
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func check(err error, doing string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", doing, err)
		os.Exit(1)
	}
}

func say(what line) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(what), "printing")
}

// at is the time of an offset, both in nanoseconds.
func (p *program) at(offset int64) time.Time { return time.Unix(0, p.base+offset) }

func (p *program) text(offset int64) string { return strconv.FormatInt(p.base+offset, 10) }

func (p *program) where(index int) line {
	return line{"resource": p.content.Resource, "scope": p.content.Scopes[index]}
}

func with(one line, more line) line {
	for key, value := range more {
		one[key] = value
	}
	return one
}

// anyValue is OTLP's JSON of one value, of which one field is set.
type anyValue struct {
	String *string `json:"stringValue"`
	Bool   *bool   `json:"boolValue"`
	Int    *string `json:"intValue"`
	Double *float64
	Bytes  []byte                       `json:"bytesValue"`
	Array  *struct{ Values []anyValue } `json:"arrayValue"`
	Map    *struct{ Values []anyPair }  `json:"kvlistValue"`
}

type anyPair struct {
	Key   string
	Value anyValue
}

func (v *anyValue) UnmarshalJSON(data []byte) error {
	type plain anyValue
	with := struct {
		*plain
		Double *float64 `json:"doubleValue"`
	}{plain: (*plain)(v)}
	err := json.Unmarshal(data, &with)
	v.Double = with.Double
	return err
}

func parsed(raw json.RawMessage) anyValue {
	var value anyValue
	check(json.Unmarshal(raw, &value), "reading a value of content.json")
	return value
}

func integer(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err, "reading an integer of content.json")
	return value
}

func attributeValue(value anyValue) attribute.Value {
	switch {
	case value.String != nil:
		return attribute.StringValue(*value.String)
	case value.Bool != nil:
		return attribute.BoolValue(*value.Bool)
	case value.Int != nil:
		return attribute.Int64Value(integer(*value.Int))
	case value.Double != nil:
		return attribute.Float64Value(*value.Double)
	case value.Bytes != nil:
		return attribute.ByteSliceValue(value.Bytes)
	case value.Array != nil:
		return arrayValue(value.Array.Values)
	default:
		var pairs []attribute.KeyValue
		for _, one := range value.Map.Values {
			pairs = append(pairs, attribute.KeyValue{Key: attribute.Key(one.Key), Value: attributeValue(one.Value)})
		}
		return attribute.MapValue(pairs...)
	}
}

// arrayValue takes the array's own kind where all values are of one, as instrumentation does.
func arrayValue(values []anyValue) attribute.Value {
	is := func(kind func(anyValue) bool) bool {
		return len(values) > 0 && !slices.ContainsFunc(values, func(one anyValue) bool { return !kind(one) })
	}
	switch {
	case is(func(one anyValue) bool { return one.String != nil }):
		return attribute.StringSliceValue(mapped(values, func(one anyValue) string { return *one.String }))
	case is(func(one anyValue) bool { return one.Bool != nil }):
		return attribute.BoolSliceValue(mapped(values, func(one anyValue) bool { return *one.Bool }))
	case is(func(one anyValue) bool { return one.Int != nil }):
		return attribute.Int64SliceValue(mapped(values, func(one anyValue) int64 { return integer(*one.Int) }))
	case is(func(one anyValue) bool { return one.Double != nil }):
		return attribute.Float64SliceValue(mapped(values, func(one anyValue) float64 { return *one.Double }))
	case len(values) == 0:
		return attribute.StringSliceValue(nil)
	default:
		return attribute.SliceValue(mapped(values, attributeValue)...)
	}
}

func mapped[From, To any](from []From, change func(From) To) []To {
	to := make([]To, 0, len(from))
	for _, one := range from {
		to = append(to, change(one))
	}
	return to
}

func attributes(pairs []pair) []attribute.KeyValue {
	return mapped(pairs, func(one pair) attribute.KeyValue {
		return attribute.KeyValue{Key: attribute.Key(one.Key), Value: attributeValue(parsed(one.Value))}
	})
}

func spanContext(traceID, spanID, state string, remote bool) trace.SpanContext {
	id, err := trace.TraceIDFromHex(traceID)
	check(err, "reading a trace id of content.json")
	span, err := trace.SpanIDFromHex(spanID)
	check(err, "reading a span id of content.json")
	traceState, err := trace.ParseTraceState(state)
	check(err, "reading a trace state of content.json")
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: span, TraceState: traceState, TraceFlags: trace.FlagsSampled, Remote: remote})
}

func within(about trace.SpanContext) context.Context {
	return trace.ContextWithSpanContext(context.Background(), about)
}

func main() {
	path := environment("SDK_CONTENT", "../content.json")
	text, err := os.ReadFile(path)
	check(err, "reading the content")
	replaced := strings.NewReplacer("{run}", environment("SDK_RUN", "5d000001"),
		"{service}", environment("OTEL_SERVICE_NAME", "sdk-go")).Replace(string(text))
	p := program{protocol: environment("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")}
	check(json.Unmarshal([]byte(replaced), &p.content), "reading "+path)
	p.base, err = strconv.ParseInt(environment("SDK_BASE_TIME_NS", "1795600000123456789"), 10, 64)
	check(err, "reading SDK_BASE_TIME_NS")
	p.resource = resource.NewWithAttributes(p.content.Resource.SchemaURL, attributes(p.content.Resource.Attributes)...)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { check(err, "the SDK says") }))
	say(line{"signal": "sdk", "language": "go", "version": otel.Version(), "protocol": p.protocol,
		"notExpressed": []string{"links[].traceState: the exporter leaves it out",
			"the times of metric points and exemplars: put in before the exporter"}})
	p.sendSpans()
	p.sendLogs()
	p.sendMetrics()
}
