/** Asks anew for what live events have made old, at most once in a while. */
import type { QueryKey } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { type LiveKind, listen } from './live.ts';
import { queryClient } from './query-client.ts';

/**
 * Calls `act` soon after each event of the kind that `concerns` it, at most once in `everyMs`: the first event is answered at
 * once, those that come meanwhile by one more call at the end. Rests while the tab is hidden, and catches up when it is shown.
 *
 * Also once a stream stands that does not go on where another was cut: what happened between an answer of the server and that
 * moment, no event says.
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

/** Asks anew for everything under these keys when runs change, at most once in `everyMs` (default 2 s). */
export function useRefreshOnRuns(keys: readonly QueryKey[], everyMs = 2_000): void {
  useThrottledLive<unknown>('run', everyMs, always, () => {
    for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
  });
}

const always = (): boolean => true;
