/**
 * The one stream of live events of this tab (`GET /api/events`).
 *
 * Pages listen by `useLive`. A run page names its run by `useLiveRun`, and the stream is opened anew for it: events of tasks and log
 * lines come only for a run that was named, and the address must name it, for by that alone the browser resumes a broken stream
 * (Last-Event-ID). Events between two streams are lost, so whatever follows events asks again at each `hello` that does not resume.
 * Where resuming fails the stream is opened again after a pause, and everything shown is asked for anew (`gap`). So it is when the stream
 * falls silent: the server gives a sign of life every now and then (`beat`).
 */
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { BeatWatch } from './beat-watch.ts';
import { apiAddress } from './http.ts';
import { queryClient } from './query-client.ts';

const kinds = ['run', 'task', 'log', 'gap', 'hello'] as const;
/** `run`: a run changed · `task`, `log`: only of the run that was named · `gap`: events were missed · `hello`: the stream is open, `{ resumed }`. */
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

/** Opens the stream while the component that calls it is shown; the shell does, once somebody is logged in. */
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

/** Calls back for each event of a kind. The callback may close over what is current. */
export function useLive<T>(kind: LiveKind, listener: (data: T) => void): void {
  const onEvent = useEffectEvent(listener as Listener);
  useEffect(() => listen(kind, (data) => onEvent(data)), [kind]);
}

/** The same outside of a component. Gives what ends it. */
export function listen(kind: LiveKind, listener: (data: unknown) => void): () => void {
  listeners.get(kind)?.add(listener);
  return () => void listeners.get(kind)?.delete(listener);
}

/** Asks for the tasks and log lines of a run too, while the component is shown. */
export function useLiveRun(id: string): void {
  useEffect(() => {
    wantedRun = id;
    if (users > 0 && openRun !== id) open();
    return () => {
      wantedRun = null;
      // The next page may name a run of its own in the same moment; only if none does is the plain stream opened.
      queueMicrotask(() => {
        if (users > 0 && openRun !== wantedRun) open();
      });
    };
  }, [id]);
}

/** Since when the stream has been lost, epoch ms; null while it is there. */
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
    // The usual reason that a stream is refused for good: the session has ended.
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

/** Nothing came for so long that the connection must be dead; asking over a new one shows whether the server is there. */
function onSilent(lastHeardAt: number): void {
  failures += 1;
  setLost(lostSince ?? lastHeardAt);
  open();
}

/** The browser knows that it is offline long before a connection notices. */
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
  // The list of runs looks after itself: what is new in it is gathered, not pushed.
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
