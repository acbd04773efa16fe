/** Messages between a process and the thread that exports its spans and metrics. Both sides are of one version. */
import type { SpanRecord } from '../model/span.ts';
import type { ExportWish } from './otel-settings.ts';
import type { SpanRow } from './span-sink.ts';

/** What the thread is started with, as its `workerData`. */
export interface ExporterData {
  readonly traces: Pick<ExportWish, 'isOn' | 'protocol'>;
  readonly metrics: Pick<ExportWish, 'isOn' | 'protocol'>;
  /** Attributes of the resource that variables of OpenTelemetry do not say. */
  readonly resource: Readonly<Record<string, string | number>>;
  readonly version: string;
}

/**
 * Spans of some moments. `rows` are those of runs and tasks, each with the number of its trace before it, all in one list. So are `traces`: of each the id
 * of its run, the flow, the id of the trace, the span that the run hangs below, and who works there. Copying lists costs a fraction of what objects cost.
 */
export interface SpanBatch {
  readonly traces: readonly (string | null)[];
  readonly rows: readonly SpanRow[number][];
  readonly spans: readonly SpanRecord[];
}

/** One metric with its values, as the registry has them. Histograms have one value for each bucket, sum and count, by `metricName`. */
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
  /** Times are UTC epoch ms: since when counters count, and now. */
  | { readonly kind: 'metrics'; readonly families: readonly MetricFamily[]; readonly since: number; readonly at: number }
  /** Answered with `flushed` of the same number once all that came before was exported, or could not be. */
  | { readonly kind: 'flush'; readonly number: number };

export type FromExporter =
  | { readonly kind: 'flushed'; readonly number: number }
  /** The same trouble has the same message, by which the log knows that it repeats; what changes stands in `figures`. */
  | { readonly kind: 'trouble'; readonly message: string; readonly figures?: Readonly<Record<string, number>> };
