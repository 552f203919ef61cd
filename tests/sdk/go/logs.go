package main

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

type logItem struct {
	Scope          int
	Offset         *int64
	ObservedOffset int64
	SeverityNumber int
	SeverityText   string
	Body           json.RawMessage
	Attributes     []pair
	TraceID        string
	SpanID         string
	EventName      string
}

func (p *program) logExporter() sdklog.Exporter {
	var exporter sdklog.Exporter
	var err error
	switch p.protocol {
	case "grpc":
		exporter, err = otlploggrpc.New(context.Background())
	case "http/protobuf":
		exporter, err = otlploghttp.New(context.Background())
	default:
		err = errProtocol(p.protocol)
	}
	check(err, "making the exporter of log records")
	return exporter
}

func (p *program) sendLogs() {
	limit := p.content.Limits.Attributes
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(p.resource), sdklog.WithAttributeCountLimit(limit),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(p.logExporter())))
	for _, item := range p.content.Logs {
		var record log.Record
		moment := "0"
		if item.Offset != nil {
			record.SetTimestamp(p.at(*item.Offset))
			moment = p.text(*item.Offset)
		}
		record.SetObservedTimestamp(p.at(item.ObservedOffset))
		record.SetSeverity(log.Severity(item.SeverityNumber))
		record.SetSeverityText(item.SeverityText)
		record.SetEventName(item.EventName)
		if string(item.Body) != "null" {
			record.SetBody(attributeValue(parsed(item.Body)))
		}
		record.AddAttributes(attributes(item.Attributes)...)
		around, flags := context.Background(), 0
		if item.SpanID != "" {
			around, flags = within(spanContext(item.TraceID, item.SpanID, "", false)), 1
		}
		about := p.content.Scopes[item.Scope]
		provider.Logger(about.Name, log.WithInstrumentationVersion(about.Version), log.WithSchemaURL(about.SchemaURL),
			log.WithInstrumentationAttributes(attributes(about.Attributes)...)).Emit(around, record)
		kept, dropped := first(item.Attributes, limit)
		say(with(p.where(item.Scope), line{"signal": "logs", "item": line{
			"timeUnixNano": moment, "observedTimeUnixNano": p.text(item.ObservedOffset),
			"severityNumber": item.SeverityNumber, "severityText": item.SeverityText, "body": item.Body,
			"attributes": kept, "droppedAttributesCount": dropped, "traceId": item.TraceID, "spanId": item.SpanID,
			"flags": flags, "eventName": item.EventName}}))
	}
	check(provider.Shutdown(context.Background()), "sending log records")
}
