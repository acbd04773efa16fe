/** The time, for drawing: one clock for the whole tab, which stops while the tab is hidden. */
import { useSyncExternalStore } from 'react';

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let current = Date.now();

/** Now in epoch ms, updated every second; `everyMs` makes it coarser, so that minutes are not redrawn each second. */
export function useNow(everyMs = 1000): number {
  return useSyncExternalStore(watch, () => Math.floor(current / everyMs) * everyMs);
}

/** Now in epoch ms, for the distance to an instant (epoch ms): updated every second while that is near, else every 20 s. */
export function useNowFrom(at: number): number {
  return useSyncExternalStore(watch, () => (Math.abs(current - at) < nearMs ? current : Math.floor(current / farStepMs) * farStepMs));
}

const nearMs = 90_000;
const farStepMs = 20_000;

/** The current time, epoch ms; for requests, not for drawing. */
export function timeNow(): number {
  return Date.now();
}

function watch(onChange: () => void): () => void {
  watchers.add(onChange);
  if (timer === undefined) {
    current = Date.now();
    timer = setInterval(tick, 1000);
    document.addEventListener('visibilitychange', tick);
  }
  return () => {
    watchers.delete(onChange);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    document.removeEventListener('visibilitychange', tick);
  };
}

function tick(): void {
  if (document.hidden) return;
  current = Date.now();
  for (const onChange of watchers) onChange();
}
