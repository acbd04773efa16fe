/**
 * A receiver of OTLP over HTTP, as a collector has it: protobuf and JSON, with or without gzip. It decodes by the published definitions alone and knows
 * nothing of what sends.
 *
 * Source: https://github.com/open-telemetry/opentelemetry-proto (v1), the fields that tests look at; others are skipped.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  /** UTC epoch ms. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly message: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly events: readonly string[];
  readonly scope: string;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly kind: 'sum' | 'gauge' | 'histogram';
  readonly isMonotonic: boolean;
  readonly points: readonly {
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly value: number;
    readonly count: number;
    readonly bounds: readonly number[];
    readonly counts: readonly number[];
  }[];
}

export interface OtlpReceiver {
  /** As `OTEL_EXPORTER_OTLP_ENDPOINT` wants it. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** As they were last sent, by name. */
  readonly metrics: ReadonlyMap<string, ReceivedMetric>;
  /** Requests so far, those that were refused included, by their content type. */
  readonly requests: readonly { readonly path: string; readonly type: string; readonly headers: IncomingMessage['headers'] }[];
  /** Answers every request with this status from now on. */
  answerWith(status: number): void;
  stop(): Promise<void>;
}

const definitions = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Event events = 11; repeated Link links = 13; Status status = 15;
}
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message Metric { string name = 1; string description = 2; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; } }
message Gauge { repeated NumberPoint data_points = 1; }
message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message NumberPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; double as_double = 4; sfixed64 as_int = 6; repeated KeyValue attributes = 7; }
message HistogramPoint { fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated KeyValue attributes = 9; }
`;

const { root } = protobuf.parse(definitions);

// oxlint-disable-next-line typescript/no-explicit-any -- what a request holds is anybody's
type Loose = any;

/** Listens on a free port of 127.0.0.1. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics = new Map<string, ReceivedMetric>();
  const requests: { path: string; type: string; headers: IncomingMessage['headers'] }[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      const type = request.headers['content-type'] ?? '';
      requests.push({ path, type, headers: request.headers });
      if (status === 200) {
        const whole = Buffer.concat(parts);
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole;
        if (path === '/v1/traces') spans.push(...spansOf(decode('Traces', type, body)));
        if (path === '/v1/metrics') for (const metric of metricsOf(decode('Metrics', type, body))) metrics.set(metric.name, metric);
      }
      response.writeHead(status, { 'content-type': type }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    metrics,
    requests,
    answerWith: (next) => void (status = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function decode(message: string, type: string, body: Buffer): Loose {
  if (type.startsWith('application/json')) return JSON.parse(body.toString('utf8'));
  if (!type.startsWith('application/x-protobuf')) throw new Error(`OTLP is not sent as ${type}.`);
  const kind = root.lookupType(message);
  return kind.toObject(kind.decode(body), { longs: String, bytes: Buffer, defaults: false });
}

function spansOf({ resourceSpans = [] }: Loose): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }: Loose) =>
    scopeSpans.flatMap(({ scope, spans = [] }: Loose) =>
      spans.map(
        (span: Loose): ReceivedSpan => ({
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          ...{ name: span.name, kind: span.kind ?? 0, start: msOf(span.startTimeUnixNano), end: msOf(span.endTimeUnixNano) },
          ...{ attributes: attributesOf(span.attributes), status: span.status?.code ?? 0, message: span.status?.message ?? '' },
          links: (span.links ?? []).map((link: Loose) => ({
            ...{ traceId: hex(link.traceId), spanId: hex(link.spanId), attributes: attributesOf(link.attributes) },
          })),
          events: (span.events ?? []).map(({ name }: Loose) => name),
          ...{ scope: scope?.name ?? '', resource: attributesOf(resource?.attributes) },
        }),
      ),
    ),
  );
}

function metricsOf({ resourceMetrics = [] }: Loose): ReceivedMetric[] {
  return resourceMetrics.flatMap(({ scopeMetrics = [] }: Loose) =>
    scopeMetrics.flatMap(({ metrics = [] }: Loose) =>
      metrics.map(
        ({ name, sum, gauge, histogram }: Loose): ReceivedMetric => ({
          name,
          kind: sum ? 'sum' : gauge ? 'gauge' : 'histogram',
          isMonotonic: sum?.isMonotonic ?? false,
          points: ((sum ?? gauge ?? histogram).dataPoints ?? []).map((point: Loose) => ({
            attributes: attributesOf(point.attributes),
            value: Number(point.asDouble ?? point.asInt ?? point.sum ?? 0),
            count: Number(point.count ?? 0),
            bounds: (point.explicitBounds ?? []).map(Number),
            counts: (point.bucketCounts ?? []).map(Number),
          })),
        }),
      ),
    ),
  );
}

function attributesOf(pairs: Loose = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }: Loose) => [key, plain(value)]));
}

function plain(value: Loose): unknown {
  if (value?.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value?.intValue !== undefined) return Number(value.intValue);
  return value?.stringValue ?? value?.boolValue ?? value?.doubleValue ?? null;
}

function hex(id: Loose): string {
  return id === undefined ? '' : typeof id === 'string' ? id : Buffer.from(id).toString('hex');
}

function msOf(nanos: Loose): number {
  return Number(BigInt(nanos) / 1_000n) / 1_000;
}
