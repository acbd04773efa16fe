/** Refetches data that live events have made stale, at a limited rate. */
import type { QueryKey } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { type LiveKind, listen } from './live.ts';
import { queryClient } from './query-client.ts';

/**
 * Calls `act` soon after each event of the kind that `concerns` it, at most once in `everyMs`: for the first event at
 * once, for those received meanwhile by one more call at the end. Pauses while the tab is hidden, and catches up when it is shown.
 *
 * Also when a stream opens that does not resume the previous one: changes between the last response and that moment have no events.
 */
export function useThrottledLive<T>(kind: LiveKind, everyMs: number, concerns: (data: T) => boolean, act: () => void): void {
  const isConcerned = useEffectEvent(concerns as (data: unknown) => boolean);
  const onTime = useEffectEvent(act);
  useEffect(() => {
    let lastAt = Number.NEGATIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let missed = false;
    const fire = (): void => {
      timer = undefined;
      missed = document.hidden;
      if (missed) return;
      lastAt = performance.now();
      onTime();
    };
    const onShown = (): void => {
      if (missed && !document.hidden) fire();
    };
    const fireSoon = (): void => {
      timer ??= setTimeout(fire, Math.max(0, lastAt + everyMs - performance.now()));
    };
    const end = listen(kind, (data) => {
      if (timer === undefined && isConcerned(data)) fireSoon();
    });
    const endHello = listen('hello', (data) => {
      if ((data as { readonly resumed?: unknown } | null)?.resumed !== true) fireSoon();
    });
    document.addEventListener('visibilitychange', onShown);
    return () => {
      end();
      endHello();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onShown);
    };
  }, [kind, everyMs]);
}

/** Refetches everything under these keys when runs change, at most once in `everyMs` (default 2 s). */
export function useRefreshOnRuns(keys: readonly QueryKey[], everyMs = 2_000): void {
  useThrottledLive<unknown>('run', everyMs, always, () => {
    for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
  });
}

const always = (): boolean => true;
