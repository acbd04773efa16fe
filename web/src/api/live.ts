/**
 * The single live event stream of this tab (`GET /api/events`).
 *
 * Pages listen with `useLive`. A run page names its run with `useLiveRun`, and the stream is reopened for it: events of tasks and log
 * lines arrive only for a named run, and the URL must name it, as the browser resumes a broken stream by its URL alone
 * (Last-Event-ID). Events between two streams are lost, so listeners fetch again at each `hello` that does not resume.
 * If resuming fails, the stream is reopened after a pause, and everything shown is fetched again (`gap`). The same happens if the stream
 * falls silent: the server regularly sends a sign of life (`beat`).
 */
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { BeatWatch } from './beat-watch.ts';
import { apiAddress } from './http.ts';
import { queryClient } from './query-client.ts';

const kinds = ['run', 'task', 'log', 'gap', 'hello'] as const;
/** `run`: a run changed · `task`, `log`: only of the named run · `gap`: events were missed · `hello`: the stream is open, `{ resumed }`. */
export type LiveKind = (typeof kinds)[number];
type Listener = (data: unknown) => void;

const listeners = new Map<LiveKind, Set<Listener>>(kinds.map((kind) => [kind, new Set()]));
const watchers = new Set<() => void>();
const retryMs = [1_000, 2_000, 5_000, 10_000];

let source: EventSource | null = null;
let wantedRun: string | null = null;
let openRun: string | null = null;
let lostSince: number | null = null;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let users = 0;
const watchdog = new BeatWatch(onSilent);

/** Opens the stream while the calling component is shown; used by the shell after login. */
export function useLiveStream(): void {
  useEffect(() => {
    users += 1;
    open();
    window.addEventListener('offline', onOffline);
    window.addEventListener('online', open);
    return () => {
      window.removeEventListener('offline', onOffline);
      window.removeEventListener('online', open);
      users -= 1;
      if (users === 0) close();
    };
  }, []);
}

/** Calls back for each event of a kind. The callback may close over current values. */
export function useLive<T>(kind: LiveKind, listener: (data: T) => void): void {
  const onEvent = useEffectEvent(listener as Listener);
  useEffect(() => listen(kind, (data) => onEvent(data)), [kind]);
}

/** The same outside a component. Returns a function that stops it. */
export function listen(kind: LiveKind, listener: (data: unknown) => void): () => void {
  listeners.get(kind)?.add(listener);
  return () => void listeners.get(kind)?.delete(listener);
}

/** Also subscribes to tasks and log lines of a run, while the component is shown. */
export function useLiveRun(id: string): void {
  useEffect(() => {
    wantedRun = id;
    if (users > 0 && openRun !== id) open();
    return () => {
      wantedRun = null;
      // The next page may name its own run at the same moment; only otherwise the plain stream is opened.
      queueMicrotask(() => {
        if (users > 0 && openRun !== wantedRun) open();
      });
    };
  }, [id]);
}

/** When the stream was lost, epoch ms; null while it is open. */
export function useStreamLost(): number | null {
  return useSyncExternalStore(watch, () => lostSince);
}

function watch(onChange: () => void): () => void {
  watchers.add(onChange);
  return () => void watchers.delete(onChange);
}

function open(): void {
  clearTimeout(timer);
  source?.close();
  openRun = wantedRun;
  const opened = new EventSource(apiAddress('/events', openRun === null ? {} : { run: openRun }));
  source = opened;
  watchdog.begin(failures);
  opened.addEventListener('open', () => {
    const missed = failures > 0;
    failures = 0;
    setLost(null);
    if (missed) emit('gap', null);
  });
  opened.addEventListener('error', () => {
    setLost(lostSince ?? Date.now());
    if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
    watchdog.stop();
    timer = setTimeout(open, retryMs[Math.min(failures, retryMs.length - 1)]);
    failures += 1;
    // The usual reason for a final refusal: the session has ended.
    void queryClient.invalidateQueries({ queryKey: ['me'] });
  });
  for (const kind of kinds) {
    opened.addEventListener(kind, (event) => {
      const data = parse(event.data);
      watchdog.hear(kind === 'hello' ? data : undefined);
      emit(kind, data);
    });
  }
  opened.addEventListener('beat', (event) => watchdog.hear(parse(event.data)));
}

/** The connection was silent for so long that it must be dead; a new one shows whether the server is up. */
function onSilent(lastHeardAt: number): void {
  failures += 1;
  setLost(lostSince ?? lastHeardAt);
  open();
}

/** The browser knows that it is offline long before a connection fails. */
function onOffline(): void {
  clearTimeout(timer);
  watchdog.stop();
  source?.close();
  failures += 1;
  setLost(lostSince ?? Date.now());
}

function close(): void {
  clearTimeout(timer);
  watchdog.stop();
  source?.close();
  source = null;
  openRun = null;
  failures = 0;
  setLost(null);
}

function emit(kind: LiveKind, data: unknown): void {
  // The list of runs updates itself: new runs are counted, not inserted.
  if (kind === 'gap') void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'runs' });
  for (const listener of listeners.get(kind) ?? []) listener(data);
}

function setLost(since: number | null): void {
  if (lostSince === since) return;
  lostSince = since;
  for (const onChange of watchers) onChange();
}

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}
