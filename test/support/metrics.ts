/** Metrics as a test reads them: by a parser of the text format, and by the conventions that promtool holds names to. */
import parse, { type ParsedMetric } from 'parse-prometheus-text-format';

/** By name. @throws Error where the text is not in the format */
export function parseMetrics(text: string): ReadonlyMap<string, ParsedMetric> {
  return new Map(parse(text).map((metric) => [metric.name, metric]));
}

/** Value of the series with these labels; undefined where there is none. */
export function valueOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const found = parseMetrics(text)
    .get(name)
    ?.metrics.find((one) => Object.entries(labels).every(([label, value]) => one.labels?.[label] === value));
  return found?.value === undefined ? undefined : Number(found.value);
}

/** What `promtool check metrics` would find wrong, in part: no help, a counter without `_total`, others with it, units that are not base units. */
export function lintMetrics(text: string): string[] {
  return [...parseMetrics(text).values()].flatMap(({ name, help, type }) => [
    ...(help === '' ? [`${name} has no help`] : []),
    ...(type === 'COUNTER' && !name.endsWith('_total') ? [`${name} is a counter without _total`] : []),
    ...(type !== 'COUNTER' && name.endsWith('_total') ? [`${name} is no counter`] : []),
    ...(/_(ms|milliseconds|minutes|hours|kb|mb|kilobytes|percent)(_|$)/.test(name) ? [`${name} is in no base unit`] : []),
    ...(/[A-Z:]/.test(name) ? [`${name} is not in snake case`] : []),
  ]);
}
