package main

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

type metricSets struct {
	RoundEndOffsets []int64
	MeasuredOffsets []int64
	Cumulative      []metricItem
	Delta           []metricItem
}

type metricItem struct {
	Scope          int             `json:"scope"`
	Name           string          `json:"name"`
	Instrument     string          `json:"instrument"`
	Number         string          `json:"number"`
	Unit           string          `json:"unit"`
	Description    string          `json:"description"`
	Boundaries     []float64       `json:"boundaries,omitempty"`
	KeepAttributes []string        `json:"keepAttributes,omitempty"`
	Exponential    *exponential    `json:"exponential,omitempty"`
	Temporality    string          `json:"temporality"`
	Rounds         [][]measurement `json:"-"`
}

type exponential struct {
	MaxSize  int32 `json:"maxSize"`
	MaxScale int32 `json:"maxScale"`
}

type measurement struct {
	Value      json.RawMessage `json:"value"`
	Attributes []pair          `json:"attributes"`
	Span       *int            `json:"-"`
}

func (m *metricItem) UnmarshalJSON(data []byte) error {
	type plain metricItem
	type withSpan struct {
		Value      json.RawMessage
		Attributes []pair
		Span       *int
	}
	full := struct {
		*plain
		Rounds [][]withSpan
	}{plain: (*plain)(m)}
	err := json.Unmarshal(data, &full)
	for _, round := range full.Rounds {
		m.Rounds = append(m.Rounds, mapped(round, func(one withSpan) measurement { return measurement(one) }))
	}
	return err
}

func (m measurement) whole() int64 {
	var text string
	check(json.Unmarshal(m.Value, &text), "reading a measurement of content.json")
	return integer(text)
}

func (m measurement) fraction() float64 {
	value, err := strconv.ParseFloat(string(m.Value), 64)
	check(err, "reading a measurement of content.json")
	return value
}

func (m measurement) set() metric.MeasurementOption {
	return metric.WithAttributes(attributes(m.Attributes)...)
}

func (p *program) metricExporter() sdkmetric.Exporter {
	var exporter sdkmetric.Exporter
	var err error
	switch p.protocol {
	case "grpc":
		exporter, err = otlpmetricgrpc.New(context.Background())
	case "http/protobuf":
		exporter, err = otlpmetrichttp.New(context.Background())
	default:
		err = errProtocol(p.protocol)
	}
	check(err, "making the exporter of metrics")
	return exporter
}

// timed puts the times of a collection in: the SDK's clock cannot be set.
type timed struct {
	sdkmetric.Exporter
	start, end time.Time
	// measured is of each round so far: an exemplar of an earlier one may come again.
	measured map[float64]time.Time
	closed   bool
}

func (t *timed) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	// Shutting down collects once more, which is not wanted here.
	if t.closed {
		return nil
	}
	for _, scope := range data.ScopeMetrics {
		for _, one := range scope.Metrics {
			t.setTimes(one.Data)
		}
	}
	return t.Exporter.Export(ctx, data)
}

func (t *timed) setTimes(data metricdata.Aggregation) {
	switch data := data.(type) {
	case metricdata.Gauge[int64]:
		setPoints(t, data.DataPoints)
	case metricdata.Gauge[float64]:
		setPoints(t, data.DataPoints)
	case metricdata.Sum[int64]:
		setPoints(t, data.DataPoints)
	case metricdata.Sum[float64]:
		setPoints(t, data.DataPoints)
	case metricdata.Histogram[int64]:
		for i := range data.DataPoints {
			data.DataPoints[i].StartTime, data.DataPoints[i].Time = t.start, t.end
			setExemplars(t, data.DataPoints[i].Exemplars)
		}
	case metricdata.Histogram[float64]:
		for i := range data.DataPoints {
			data.DataPoints[i].StartTime, data.DataPoints[i].Time = t.start, t.end
			setExemplars(t, data.DataPoints[i].Exemplars)
		}
	case metricdata.ExponentialHistogram[float64]:
		for i := range data.DataPoints {
			data.DataPoints[i].StartTime, data.DataPoints[i].Time = t.start, t.end
			setExemplars(t, data.DataPoints[i].Exemplars)
		}
	}
}

func setPoints[N int64 | float64](t *timed, points []metricdata.DataPoint[N]) {
	for i := range points {
		points[i].StartTime, points[i].Time = t.start, t.end
		setExemplars(t, points[i].Exemplars)
	}
}

func setExemplars[N int64 | float64](t *timed, exemplars []metricdata.Exemplar[N]) {
	for i := range exemplars {
		exemplars[i].Time = t.measured[float64(exemplars[i].Value)]
	}
}

func views(set []metricItem) []sdkmetric.View {
	var views []sdkmetric.View
	for _, item := range set {
		var stream sdkmetric.Stream
		switch {
		case item.Exponential != nil:
			stream.Aggregation = sdkmetric.AggregationBase2ExponentialHistogram{
				MaxSize: item.Exponential.MaxSize, MaxScale: item.Exponential.MaxScale}
		case item.KeepAttributes != nil:
			keys := mapped(item.KeepAttributes, func(key string) attribute.Key { return attribute.Key(key) })
			stream.AttributeFilter = attribute.NewAllowKeysFilter(keys...)
		default:
			continue
		}
		views = append(views, sdkmetric.NewView(sdkmetric.Instrument{Name: item.Name}, stream))
	}
	return views
}

// record is one instrument's: it measures once.
type record func(context.Context, measurement)

// instrument makes one; the record of an observable one is nil.
func instrument(meter metric.Meter, item metricItem, round *int) (record, error) {
	unit, about := metric.WithUnit(item.Unit), metric.WithDescription(item.Description)
	whole := func(_ context.Context, observer metric.Int64Observer) error {
		for _, one := range item.Rounds[*round] {
			observer.Observe(one.whole(), one.set())
		}
		return nil
	}
	fraction := func(_ context.Context, observer metric.Float64Observer) error {
		for _, one := range item.Rounds[*round] {
			observer.Observe(one.fraction(), one.set())
		}
		return nil
	}
	switch item.Instrument + " " + item.Number {
	case "counter int":
		made, err := meter.Int64Counter(item.Name, unit, about)
		return func(ctx context.Context, one measurement) { made.Add(ctx, one.whole(), one.set()) }, err
	case "counter double":
		made, err := meter.Float64Counter(item.Name, unit, about)
		return func(ctx context.Context, one measurement) { made.Add(ctx, one.fraction(), one.set()) }, err
	case "upDownCounter int":
		made, err := meter.Int64UpDownCounter(item.Name, unit, about)
		return func(ctx context.Context, one measurement) { made.Add(ctx, one.whole(), one.set()) }, err
	case "gauge int":
		made, err := meter.Int64Gauge(item.Name, unit, about)
		return func(ctx context.Context, one measurement) { made.Record(ctx, one.whole(), one.set()) }, err
	case "gauge double":
		made, err := meter.Float64Gauge(item.Name, unit, about)
		return func(ctx context.Context, one measurement) { made.Record(ctx, one.fraction(), one.set()) }, err
	case "histogram int":
		made, err := meter.Int64Histogram(item.Name, unit, about, metric.WithExplicitBucketBoundaries(item.Boundaries...))
		return func(ctx context.Context, one measurement) { made.Record(ctx, one.whole(), one.set()) }, err
	case "histogram double":
		made, err := meter.Float64Histogram(item.Name, unit, about, metric.WithExplicitBucketBoundaries(item.Boundaries...))
		return func(ctx context.Context, one measurement) { made.Record(ctx, one.fraction(), one.set()) }, err
	case "observableCounter int":
		_, err := meter.Int64ObservableCounter(item.Name, unit, about, metric.WithInt64Callback(whole))
		return nil, err
	case "observableUpDownCounter int":
		_, err := meter.Int64ObservableUpDownCounter(item.Name, unit, about, metric.WithInt64Callback(whole))
		return nil, err
	case "observableGauge double":
		_, err := meter.Float64ObservableGauge(item.Name, unit, about, metric.WithFloat64Callback(fraction))
		return nil, err
	default:
		return nil, errInstrument(item.Instrument + " of " + item.Number)
	}
}

type errInstrument string

func (e errInstrument) Error() string { return "this program knows no " + string(e) }

func (p *program) sendMetrics() {
	p.sendSet("cumulative", p.content.Metrics.Cumulative)
	p.sendSet("delta", p.content.Metrics.Delta)
}

func (p *program) sendSet(temporality string, set []metricItem) {
	check(os.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality), "setting the temporality")
	exporter := &timed{Exporter: p.metricExporter(), measured: map[float64]time.Time{}}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(p.resource), sdkmetric.WithView(views(set)...),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))))
	var round int
	var records []record
	for _, item := range set {
		about := p.content.Scopes[item.Scope]
		meter := provider.Meter(about.Name, metric.WithInstrumentationVersion(about.Version),
			metric.WithSchemaURL(about.SchemaURL), metric.WithInstrumentationAttributes(attributes(about.Attributes)...))
		made, err := instrument(meter, item, &round)
		check(err, "making "+item.Name)
		records = append(records, made)
	}
	exporter.end = p.at(0)
	for round = range p.content.Metrics.RoundEndOffsets {
		p.measure(exporter, set, records, round)
		if round == 0 || temporality == "delta" {
			exporter.start = exporter.end
		}
		exporter.end = p.at(p.content.Metrics.RoundEndOffsets[round])
		check(provider.ForceFlush(context.Background()), "sending metrics")
		for _, item := range set {
			item.Temporality = temporality
			p.sayMetric(item, round)
		}
	}
	exporter.closed = true
	check(provider.Shutdown(context.Background()), "shutting down")
}

func (p *program) measure(exporter *timed, set []metricItem, records []record, round int) {
	for index, item := range set {
		if records[index] == nil {
			continue
		}
		for _, one := range item.Rounds[round] {
			around := context.Background()
			if one.Span != nil {
				span := p.content.Spans[*one.Span]
				around = within(spanContext(span.TraceID, span.SpanID, "", false))
				exporter.measured[one.fraction()] = p.at(p.content.Metrics.MeasuredOffsets[round])
			}
			records[index](around, one)
		}
	}
}

func (p *program) sayMetric(item metricItem, round int) {
	measurements := mapped(item.Rounds[round], func(one measurement) line {
		said := line{"value": one.Value, "attributes": one.Attributes, "span": nil}
		if one.Span != nil {
			span := p.content.Spans[*one.Span]
			said["span"] = line{"traceId": span.TraceID, "spanId": span.SpanID}
		}
		return said
	})
	say(with(p.where(item.Scope), line{"signal": "metrics", "metric": item, "exemplars": true, "round": round,
		"timeUnixNano":     p.text(p.content.Metrics.RoundEndOffsets[round]),
		"measuredUnixNano": p.text(p.content.Metrics.MeasuredOffsets[round]), "measurements": measurements}))
}
