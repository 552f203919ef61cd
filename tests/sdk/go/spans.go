package main

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type spanItem struct {
	Scope          int
	TraceID        string
	SpanID         string
	ParentSpanID   string
	ParentIsRemote bool
	TraceState     string
	Name           string
	Kind           int
	StartOffset    int64
	EndOffset      int64
	Attributes     []pair
	Events         []eventItem
	Links          []linkItem
	Status         struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
}

type eventItem struct {
	Offset     int64
	Name       string
	Attributes []pair
}

type linkItem struct {
	TraceID    string
	SpanID     string
	TraceState string
	IsRemote   bool
	Attributes []pair
}

// ids gives the next span of the content the ids that stand there.
type ids struct{ next trace.SpanContext }

func (i *ids) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	return i.next.TraceID(), i.next.SpanID()
}

func (i *ids) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return i.next.SpanID() }

func flags(remote bool) int {
	if remote {
		return 0x301
	}
	return 0x101
}

// last keeps the newest of too many, as the SDK does with events and links.
func last[T any](items []T, limit int) ([]T, int) {
	dropped := max(0, len(items)-limit)
	return items[dropped:], dropped
}

// first keeps the first of too many, as the SDK does with attributes.
func first[T any](items []T, limit int) ([]T, int) {
	kept := min(len(items), limit)
	return items[:kept], len(items) - kept
}

func (p *program) spanExporter() sdktrace.SpanExporter {
	var client otlptrace.Client
	switch p.protocol {
	case "grpc":
		client = otlptracegrpc.NewClient()
	case "http/protobuf":
		client = otlptracehttp.NewClient()
	default:
		check(errProtocol(p.protocol), "OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	exporter, err := otlptrace.New(context.Background(), client)
	check(err, "making the exporter of spans")
	return exporter
}

func (p *program) sendSpans() {
	limits := sdktrace.NewSpanLimits()
	limits.AttributeCountLimit, limits.EventCountLimit, limits.LinkCountLimit =
		p.content.Limits.Attributes, p.content.Limits.Events, p.content.Limits.Links
	generator := &ids{}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(p.resource), sdktrace.WithIDGenerator(generator),
		sdktrace.WithRawSpanLimits(limits), sdktrace.WithBatcher(p.spanExporter()))
	for _, item := range p.content.Spans {
		generator.next = spanContext(item.TraceID, item.SpanID, "", false)
		parent := context.Background()
		if item.ParentSpanID != "" {
			parent = within(spanContext(item.TraceID, item.ParentSpanID, item.TraceState, item.ParentIsRemote))
		}
		about := p.content.Scopes[item.Scope]
		tracer := provider.Tracer(about.Name, trace.WithInstrumentationVersion(about.Version),
			trace.WithSchemaURL(about.SchemaURL), trace.WithInstrumentationAttributes(attributes(about.Attributes)...))
		links := mapped(item.Links, func(link linkItem) trace.Link {
			return trace.Link{SpanContext: spanContext(link.TraceID, link.SpanID, link.TraceState, link.IsRemote),
				Attributes: attributes(link.Attributes)}
		})
		_, span := tracer.Start(parent, item.Name, trace.WithSpanKind(trace.SpanKind(item.Kind)),
			trace.WithTimestamp(p.at(item.StartOffset)), trace.WithLinks(links...))
		span.SetAttributes(attributes(item.Attributes)...)
		for _, event := range item.Events {
			span.AddEvent(event.Name, trace.WithTimestamp(p.at(event.Offset)), trace.WithAttributes(attributes(event.Attributes)...))
		}
		switch item.Status.Code {
		case 1:
			span.SetStatus(codes.Ok, item.Status.Message)
		case 2:
			span.SetStatus(codes.Error, item.Status.Message)
		}
		span.End(trace.WithTimestamp(p.at(item.EndOffset)))
		p.saySpan(item)
	}
	check(provider.Shutdown(context.Background()), "sending spans")
}

func (p *program) saySpan(item spanItem) {
	kept, dropped := first(item.Attributes, p.content.Limits.Attributes)
	events, droppedEvents := last(item.Events, p.content.Limits.Events)
	links, droppedLinks := last(item.Links, p.content.Limits.Links)
	say(with(p.where(item.Scope), line{"signal": "traces", "item": line{
		"traceId": item.TraceID, "spanId": item.SpanID, "parentSpanId": item.ParentSpanID,
		"traceState": item.TraceState, "flags": flags(item.ParentIsRemote), "name": item.Name, "kind": item.Kind,
		"startTimeUnixNano": p.text(item.StartOffset), "endTimeUnixNano": p.text(item.EndOffset),
		"attributes": kept, "droppedAttributesCount": dropped,
		"events": mapped(events, func(event eventItem) line {
			return line{"timeUnixNano": p.text(event.Offset), "name": event.Name, "attributes": event.Attributes}
		}),
		"droppedEventsCount": droppedEvents,
		"links": mapped(links, func(link linkItem) line {
			return line{"traceId": link.TraceID, "spanId": link.SpanID,
				"flags": flags(link.IsRemote), "attributes": link.Attributes}
		}),
		"droppedLinksCount": droppedLinks, "status": item.Status}}))
}

type errProtocol string

func (e errProtocol) Error() string { return `"` + string(e) + `", not grpc or http/protobuf` }
