/** The ready resource `timer`: measures how long its scope and parts of it take. */
import { systemClock } from '../../base/clock.ts';
import type { Resource, ResourceScopeName } from '../../model/resource.ts';
import { resource } from '../../resources/resource.ts';

/** How long something took, ms with fraction. */
export interface Stopwatch {
  /** Since it was opened. */
  elapsedMs(): number;
  /** Times a piece of work under a name, also where it fails. What is timed under one name again adds up. */
  time<T>(part: string, work: () => T | Promise<T>): Promise<T>;
  /** What was timed so far: total and how often, by name, in the order in which they began. */
  parts(): Readonly<Record<string, { readonly ms: number; readonly times: number }>>;
}

/** Options of `timer`. */
export interface TimerOptions<S extends ResourceScopeName = 'task'> {
  /** What is measured. Default `task`. */
  readonly scope?: S | undefined;
}

/**
 * A stopwatch that runs as long as its scope and logs at its end how long that and each part took.
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
