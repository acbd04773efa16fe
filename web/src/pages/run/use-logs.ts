/** The log of a run, live. */
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { fromWire, type Wire } from '../../../../src/client/wire.ts';
import type { StoredLogLine } from '../../../../src/store/store.ts';
import { useLive } from '../../api/live.ts';
import { LogReader, type LogView } from '../../logs/log-reader.ts';
import { loadLogs } from './run-data.ts';

/** Lines within this time are read together, ms. */
const gatherMs = 250;

export interface LogOptions {
  readonly task: string | undefined;
  /** Lowest level, in pino's numbers. */
  readonly level: number | undefined;
  /** The line to open around initially. */
  readonly line: number | undefined;
  /** Whether the page follows the end. */
  readonly follow: boolean;
}

/** The log reader for these options, and its lines. Another task or level opens another. */
export function useLogs(
  runId: string,
  { task, level, line, follow }: LogOptions,
): { readonly reader: LogReader<StoredLogLine>; readonly view: LogView<StoredLogLine> } {
  const reader = useMemo(
    () => new LogReader<StoredLogLine>((stretch, signal) => loadLogs(runId, { task, level, ...stretch }, signal)),
    [runId, task, level],
  );
  const firstLine = useRef(line);
  useEffect(() => {
    void (firstLine.current === undefined ? reader.openAtEnd() : reader.openAround(firstLine.current));
    firstLine.current = undefined;
    return () => reader.close();
  }, [reader]);

  const fresh = useRef<StoredLogLine[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive<Wire<StoredLogLine>>('log', (event) => {
    if (event?.runId !== runId || (task !== undefined && event.taskRunId !== task) || (level !== undefined && event.level < level)) return;
    fresh.current.push(fromWire<StoredLogLine>(event));
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      const lines = fresh.current;
      fresh.current = [];
      if (reader.take(lines) && reader.view.window.atEnd) void reader.readAfter(follow);
    }, gatherMs);
  });
  useLive('gap', () => void reader.readAfter(follow));
  useLive('hello', () => {
    if (reader.view.window.atEnd) void reader.readAfter(follow);
  });
  const view = useSyncExternalStore(reader.watch, () => reader.view);
  return { reader, view };
}
