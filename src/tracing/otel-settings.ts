/** The OpenTelemetry variables this process needs; the exporters read their own. */
import { environmentVariable } from '../base/config.ts';

/** Reads one variable. */
export type ReadVariable = (name: string) => string | undefined;

/** How one signal is exported. */
export interface ExportWish {
  /** Whether we export it. */
  readonly isOn: boolean;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** Why it is not exported although a variable asks for it; null if nothing is wrong. */
  readonly refused: string | null;
}

const protocols = ['http/protobuf', 'http/json'] as const;

/** Whether a variable is true as the specification defines it: `true` in any case. */
export function isSdkDisabled(read: ReadVariable = environmentVariable): boolean {
  return read('OTEL_SDK_DISABLED')?.trim().toLowerCase() === 'true';
}

/**
 * Traces are on if a destination is set: an endpoint, or `OTEL_TRACES_EXPORTER=otlp`. Metrics are on only with
 * `OTEL_METRICS_EXPORTER=otlp`: with Prometheus scraping them too, they would be counted twice.
 *
 * Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readExportWish(signal: 'traces' | 'metrics', read: ReadVariable = environmentVariable): ExportWish {
  const upper = signal.toUpperCase();
  const given = (name: string): string => read(name)?.trim() ?? '';
  const exporters = given(`OTEL_${upper}_EXPORTER`).toLowerCase();
  const isAskedFor =
    exporters === ''
      ? signal === 'traces' && (given('OTEL_EXPORTER_OTLP_ENDPOINT') !== '' || given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') !== '')
      : exporters !== 'none';
  const name = given(`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`) || given('OTEL_EXPORTER_OTLP_PROTOCOL') || 'http/protobuf';
  const protocol = protocols.find((one) => one === name);
  if (!isAskedFor || isSdkDisabled(read)) return { isOn: false, protocol: 'http/protobuf', refused: null };
  if (exporters !== '' && exporters !== 'otlp')
    return off(`OTEL_${upper}_EXPORTER is '${exporters}': only otlp and none are known here. Register a provider of your own for others.`);
  if (protocol === undefined)
    return off(`The OTLP protocol '${name}' is not spoken here: use http/protobuf (usually port 4318) or http/json.`);
  return { isOn: true, protocol, refused: null };
}

function off(refused: string): ExportWish {
  return { isOn: false, protocol: 'http/protobuf', refused };
}
