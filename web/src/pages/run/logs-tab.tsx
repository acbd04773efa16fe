/** The log of a run: live, by level and task, with search and a link to each line. Only the visible part is held and drawn. */
import { Button, Select, Switch, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { isTerminal } from '../../../../src/model/state.ts';
import { apiAddress } from '../../api/http.ts';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { LogLines } from '../../logs/log-lines.tsx';
import { levels } from '../../logs/log-text.ts';
import style from '../../logs/logs.module.css';
import { LogHits } from './log-hits.tsx';
import { runPath } from './run-data.ts';
import type { TabProps } from './tab-props.ts';
import { labelOf } from './task-label.ts';
import { useLogs } from './use-logs.ts';
import { useRunSearch } from './use-run-search.ts';

/** Most tasks listed in the select at once. */
const listedTasks = 100;

/** Filters above, lines below. */
export function LogsTab({ detail: { run }, tasks }: TabProps) {
  const { search, set } = useRunSearch();
  const [wrap, setWrap] = useState(false);
  const [follow, setFollow] = useState(search.line === undefined);
  const names = useMemo(() => new Map(tasks.rows.map((row) => [row.id, labelOf(row)])), [tasks.rows]);
  // Elsewhere on the page a task may be selected by name; a log belongs to a task run.
  const task = useMemo(() => {
    if (search.task === undefined || names.has(search.task)) return search.task;
    return tasks.rows.find(({ name }) => name === search.task)?.id ?? (tasks.complete ? undefined : search.task);
  }, [search.task, names, tasks.rows, tasks.complete]);
  const level = levels.find(({ name }) => name === search.level)?.level;
  const { reader, view } = useLogs(run.id, { task, level, line: search.line, follow });

  const goTo = (seq: number): void => {
    setFollow(false);
    set({ line: seq }, true);
    const { lines } = view.window;
    const held = lines.length > 0 && seq >= (lines[0]?.seq ?? 0) && seq <= (lines.at(-1)?.seq ?? 0);
    if (!held) void reader.openAround(seq);
  };
  const followEnd = (on: boolean): void => {
    setFollow(on);
    if (!on) return;
    set({ line: undefined }, true);
    if (!view.window.atEnd) void reader.openAtEnd();
  };

  return (
    <div className={style.tab}>
      <div className={style.toolbar}>
        <div className={style.chips} role="group" aria-label="Lowest level">
          {[{ name: 'all' }, ...levels.slice(1)].map(({ name }) => (
            <button
              key={name}
              type="button"
              className={style.chip}
              aria-pressed={(search.level ?? 'all') === name}
              onClick={() => set({ level: name === 'all' ? undefined : name, line: undefined }, true)}
            >
              {name}
            </button>
          ))}
        </div>
        <Select
          aria-label="Task"
          placeholder="All tasks"
          data={tasks.rows.map((row) => ({ value: row.id, label: labelOf(row) }))}
          value={task ?? null}
          limit={listedTasks}
          searchable
          clearable
          onChange={(id) => set({ task: id ?? undefined, line: undefined }, true)}
        />
        <SearchField
          key={search.search ?? ''}
          value={search.search ?? ''}
          onSearch={(text) => set({ search: text === '' ? undefined : text }, true)}
        />
        <LogHits
          runId={run.id}
          task={task}
          level={level}
          search={search.search}
          line={search.line}
          live={!isTerminal(run.state.type)}
          onGo={goTo}
        />
        <span className={style.space} />
        <Switch label="Follow" checked={follow} onChange={(event) => followEnd(event.currentTarget.checked)} />
        <Switch label="Wrap" checked={wrap} onChange={(event) => setWrap(event.currentTarget.checked)} />
        <Button variant="default" size="compact-xs" onClick={() => (setFollow(false), void reader.openAtStart())}>
          Start
        </Button>
        <Button
          component="a"
          variant="default"
          size="compact-xs"
          href={apiAddress(`${runPath(run.id)}/logs/download`, { task, level })}
          download
        >
          Download
        </Button>
      </div>
      {view.error !== null && view.window.lines.length === 0 ? (
        <Failed what="The log" error={view.error} retry={() => void reader.openAtEnd()} />
      ) : view.opening && view.window.lines.length === 0 ? (
        <LoadingRows rows={12} />
      ) : view.window.lines.length === 0 ? (
        <Empty title="No lines">
          {search.level !== undefined || task !== undefined
            ? 'Nothing was logged by this task at this level.'
            : 'What tasks write with ctx.log, and what they print, appears here while it happens.'}
        </Empty>
      ) : (
        <LogLines
          view={view}
          reader={reader}
          names={names}
          search={search.search ?? ''}
          line={search.line ?? null}
          wrap={wrap}
          follow={follow}
          onFollow={setFollow}
          onLine={(seq) => set({ line: seq }, true)}
          onTask={(id) => set({ task: id, line: undefined }, true)}
        />
      )}
    </div>
  );
}

function SearchField({ value, onSearch }: { readonly value: string; readonly onSearch: (text: string) => void }) {
  const [text, setText] = useState(value);
  return (
    <form
      className={style.search}
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text.trim());
      }}
    >
      <TextInput
        data-search
        aria-label="Search in the log"
        placeholder="Search, then Enter"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setText('');
          onSearch('');
        }}
      />
    </form>
  );
}
