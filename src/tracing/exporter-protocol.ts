/** Messages between a process and its exporter thread. Both sides have the same version. */
import type { SpanRecord } from '../model/span.ts';
import type { ExportWish } from './otel-settings.ts';
import type { SpanRow } from './span-sink.ts';

/** The thread's `workerData`. */
export interface ExporterData {
  readonly traces: Pick<ExportWish, 'isOn' | 'protocol'>;
  readonly metrics: Pick<ExportWish, 'isOn' | 'protocol'>;
  /** Resource attributes not set by OpenTelemetry variables. */
  readonly resource: Readonly<Record<string, string | number>>;
  readonly version: string;
}

/**
 * A batch of spans. `rows` are those of runs and tasks, each preceded by the number of its trace, all in one list. So are `traces`: for
 * each the run id, the flow, the trace id, the parent span of the run, and the owner. Copying lists costs a fraction of copying objects.
 */
export interface SpanBatch {
  readonly traces: readonly (string | null)[];
  readonly rows: readonly SpanRow[number][];
  readonly spans: readonly SpanRecord[];
}

/** One metric with its values, as in the registry. Histograms have one value per bucket, sum and count, by `metricName`. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly metricName?: string | undefined;
  }[];
}

export type ToExporter =
  | { readonly kind: 'spans'; readonly batch: SpanBatch }
  /** Times are UTC epoch ms: start of the counters, and now. */
  | { readonly kind: 'metrics'; readonly families: readonly MetricFamily[]; readonly since: number; readonly at: number }
  /** Answered with `flushed` of the same number once all earlier input was exported or failed. */
  | { readonly kind: 'flush'; readonly number: number };

export type FromExporter =
  | { readonly kind: 'flushed'; readonly number: number }
  /** The same trouble has the same message, so that the log detects repetition; variable parts are in `figures`. */
  | { readonly kind: 'trouble'; readonly message: string; readonly figures?: Readonly<Record<string, number>> };
