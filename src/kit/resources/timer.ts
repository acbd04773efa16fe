/** The ready resource `timer`: measures how long its scope and parts of it take. */
import { systemClock } from '../../base/clock.ts';
import type { Resource, ResourceScopeName } from '../../model/resource.ts';
import { resource } from '../../resources/resource.ts';

/** Elapsed times, ms with fraction. */
export interface Stopwatch {
  /** Since it was opened. */
  elapsedMs(): number;
  /** Times named work, even if it fails. Times under one name add up. */
  time<T>(part: string, work: () => T | Promise<T>): Promise<T>;
  /** Times so far: total and count by name, in the order they began. */
  parts(): Readonly<Record<string, { readonly ms: number; readonly times: number }>>;
}

/** Options of `timer`. */
export interface TimerOptions<S extends ResourceScopeName = 'task'> {
  /** What to measure. Default `task`. */
  readonly scope?: S | undefined;
}

/**
 * A stopwatch for its scope that finally logs how long that and each part took.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID
 */
export function timer<const S extends ResourceScopeName = 'task'>(
  name: string,
  options: TimerOptions<S> = {},
): Resource<Stopwatch, void, S> {
  return resource(
    name,
    function* (ctx) {
      const watch = startWatch();
      try {
        yield watch;
      } finally {
        ctx.log.info({ ms: watch.elapsedMs(), parts: watch.parts() }, `${name} took ${watch.elapsedMs().toFixed(1)} ms`);
      }
    },
    { scope: options.scope ?? ('task' as S) },
  );
}

function startWatch(): Stopwatch {
  const startedAt = systemClock.monotonic();
  const parts: Record<string, { ms: number; times: number }> = Object.create(null) as Record<string, never>;
  return {
    elapsedMs: () => systemClock.monotonic() - startedAt,
    async time(part, work) {
      const sum = (parts[part] ??= { ms: 0, times: 0 });
      const from = systemClock.monotonic();
      try {
        return await work();
      } finally {
        sum.ms += systemClock.monotonic() - from;
        sum.times += 1;
      }
    },
    parts: () => Object.fromEntries(Object.entries(parts).map(([part, sum]) => [part, { ...sum }])),
  };
}
