/** Which traces are exported, by `OTEL_TRACES_SAMPLER`. */
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { ReadVariable } from './otel-settings.ts';
import type { Sampling } from './run-spans.ts';

/** Default `parentbased_always_on`, as in the specification. @param onFault called for an invalid value, which the default replaces */
export function readSampler(read: ReadVariable, onFault: (fault: string) => void): Sampler {
  const name = read('OTEL_TRACES_SAMPLER')?.trim().toLowerCase() ?? '';
  const ratio = (): Sampler => {
    const text = read('OTEL_TRACES_SAMPLER_ARG')?.trim() ?? '';
    const share = text === '' ? 1 : Number(text);
    if (share >= 0 && share <= 1) return new TraceIdRatioBasedSampler(share);
    onFault(`OTEL_TRACES_SAMPLER_ARG is '${text}', which is not a number from 0 to 1: all traces are exported.`);
    return new AlwaysOnSampler();
  };
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return ratio();
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: ratio() });
    default:
      if (name !== '' && name !== 'parentbased_always_on')
        onFault(`OTEL_TRACES_SAMPLER is '${name}', which is none: parentbased_always_on is taken.`);
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}

/** The decision for a whole run: the same in every process, as it derives from the trace. */
export function samplingOf(sampler: Sampler): Sampling {
  return (traceId, parent) => {
    const context =
      parent === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parent.spanId, traceFlags: parent.isSampled ? 1 : 0, isRemote: true });
    return sampler.shouldSample(context, traceId, 'run', SpanKind.INTERNAL, {}, []).decision === SamplingDecision.RECORD_AND_SAMPLED;
  };
}
