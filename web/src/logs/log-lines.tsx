/** The visible lines of a log. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useEffectEvent, useRef } from 'react';
import { shortId } from '../../../src/model/ids.ts';
import type { StoredLogLine } from '../../../src/store/store.ts';
import { bothClocks, clockText } from '../parts/format.ts';
import { colourOf, fieldsText, hitsIn, levelName, shownText, stackText } from './log-text.ts';
import type { LogReader, LogView } from './log-reader.ts';
import { placeOf } from './log-window.ts';
import style from './logs.module.css';

const rowPx = 20;
/** Remaining lines at which more are read. */
const margin = 150;
/** Colours of tasks; see logs.module.css. */
const colours = 8;
/** Distance to the end within which the view still follows, px. */
const endPx = 24;

interface LogLinesProps {
  readonly view: LogView<StoredLogLine>;
  readonly reader: LogReader<StoredLogLine>;
  /** Names of task runs by id. */
  readonly names: ReadonlyMap<string, string>;
  readonly search: string;
  /** The linked line. */
  readonly line: number | null;
  readonly wrap: boolean;
  readonly follow: boolean;
  readonly onFollow: (follow: boolean) => void;
  readonly onLine: (seq: number) => void;
  readonly onTask: (taskRunId: string) => void;
}

/** The lines, in a scrolling box; it reads on near its ends. */
export function LogLines({ view, reader, names, search, line, wrap, follow, onFollow, onLine, onTask }: LogLinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const { lines, atStart, atEnd } = view.window;
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    getItemKey: (at) => lines[at]?.seq ?? at,
    overscan: 20,
    anchorTo: 'end',
    followOnAppend: follow,
    scrollEndThreshold: endPx,
    useFlushSync: false,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (first < margin && !atStart) void reader.readBefore();
    if (last > lines.length - margin && !atEnd) void reader.readAfter();
  }, [first, last, lines.length, atStart, atEnd, reader]);

  const place = useEffectEvent(() => {
    const at = view.around === null ? -1 : view.around === 0 ? 0 : placeOf(view.window.lines, line ?? view.around);
    if (at >= 0) virtualizer.scrollToIndex(at, { align: view.around === 0 ? 'start' : 'center' });
    else virtualizer.scrollToIndex(view.window.lines.length - 1, { align: 'end' });
  });
  useEffect(() => {
    if (!view.opening) place();
  }, [view.opened, view.opening]);

  const point = useEffectEvent(() => {
    const at = line === null ? -1 : placeOf(lines, line);
    if (at >= 0 && lines[at]?.seq === line && (at < first + 2 || at > last - 2 || Math.abs(at - (first + last) / 2) > (last - first) / 4))
      virtualizer.scrollToIndex(at, { align: 'center' });
  });
  useEffect(() => {
    if (line !== null) point();
  }, [line]);
  useEffect(() => {
    if (follow) virtualizer.scrollToEnd();
  }, [follow, virtualizer]);

  return (
    <div
      ref={box}
      className={style.lines}
      data-wrap={wrap || undefined}
      role="log"
      aria-live="off"
      aria-label="Log"
      tabIndex={0}
      onWheel={(event) => {
        if (event.deltaY < 0 && follow) onFollow(false);
      }}
      onKeyDown={(event) => {
        if (follow && (event.key === 'PageUp' || event.key === 'ArrowUp' || event.key === 'Home')) onFollow(false);
      }}
    >
      <div className={style.space} style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const one = lines[index];
          if (one === undefined) return null;
          return (
            <div
              key={key}
              data-index={index}
              ref={wrap ? virtualizer.measureElement : undefined}
              className={style.line}
              data-level={levelName(one.level)}
              data-pointed={one.seq === line || undefined}
              style={{ transform: `translateY(${start}px)` }}
            >
              <LineView
                line={one}
                task={one.taskRunId === null ? null : (names.get(one.taskRunId) ?? shortId(one.taskRunId))}
                search={search}
                wrap={wrap}
                onLine={onLine}
                onTask={onTask}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface LineViewProps {
  readonly line: StoredLogLine;
  readonly task: string | null;
  readonly search: string;
  readonly wrap: boolean;
  readonly onLine: (seq: number) => void;
  readonly onTask: (taskRunId: string) => void;
}

/** Drawn by the hundred while scrolling. */
const LineView = memo(function LineView({ line, task, search, wrap, onLine, onTask }: LineViewProps) {
  const { local, utc } = bothClocks(line.at);
  const fields = fieldsText(line.fields);
  const stack = wrap ? stackText(line.fields) : null;
  return (
    <>
      <button
        type="button"
        tabIndex={-1}
        className={style.time}
        title={`${local}\n${utc}\nPoint at this line`}
        onClick={() => onLine(line.seq)}
      >
        {clockText(line.at, true)}.{String(new Date(line.at).getMilliseconds()).padStart(3, '0')}
      </button>
      <span className={style.level}>{levelName(line.level)}</span>
      <span className={style.task}>
        {task === null || line.taskRunId === null ? null : (
          <button
            type="button"
            tabIndex={-1}
            data-colour={colourOf(task.replace(/ \[\d+\]$/, ''), colours)}
            title={task}
            onClick={() => onTask(line.taskRunId ?? '')}
          >
            {task}
          </button>
        )}
      </span>
      <span className={style.message}>
        {hitsIn(shownText(line.message, wrap), search).map(({ text, hit }, at) =>
          // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have only their place.
          hit ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
        )}
        {fields === '' ? null : <span className={style.fields}> {fields}</span>}
        {stack === null ? null : <span className={style.stack}>{stack}</span>}
      </span>
    </>
  );
});
