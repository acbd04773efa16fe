/** The graph of a run. Its chunk, with the graph library, is loaded when first opened. */
import { Button, Switch } from '@mantine/core';
import { useMemo, useState } from 'react';
import { isTerminal, type StateName } from '../../../../src/model/state.ts';
import type { Card } from '../../graph/card-node.tsx';
import { criticalPath } from '../../graph/critical-path.ts';
import { graphOfFlow, graphOfGroups, graphOfTaskRuns, type RunGraph } from '../../graph/graph-model.ts';
import graphStyle from '../../graph/graph-view.module.css';
import { GraphView, type Line } from '../../graph/graph-view.tsx';
import { drawable, groupByName } from '../../graph/group-graph.ts';
import { addCounts, type StateCounts, totalOf } from '../../graph/state-counts.ts';
import { readStoredGraph } from '../../graph/stored-graph.ts';
import { countText } from '../../parts/format.ts';
import { Empty, Failed, LoadingBlock } from '../../parts/notices.tsx';
import { LastLines } from './last-lines.tsx';
import type { RunFacts, TaskCount, TaskGroups } from './run-data.ts';
import type { TabProps } from './tab-props.ts';

/** A code flow with more task runs is first shown by task. */
const groupFrom = 60;
/** Log lines below the graph. */
const linesBelow = 12;

/** Cards and lines of the run, live. */
export function GraphTab({ detail, tasks, groups, selected, onSelect }: TabProps) {
  const isCode = detail.flow?.kind !== 'graph';
  const isByTask = groups !== null;
  const counted = groups?.data;
  const full = useMemo((): RunGraph => {
    if (isByTask) {
      const { items, given } = withComing(counted ?? nothing, detail.run);
      return graphOfGroups(isCode ? null : readStoredGraph(detail.flow?.graph), items, given);
    }
    if (isCode) return graphOfTaskRuns(tasks.rows);
    return graphOfFlow(readStoredGraph(detail.flow?.graph), tasks.rows, countsOf(detail.counts, detail.run));
  }, [isCode, isByTask, counted, detail.flow?.graph, detail.counts, detail.run, tasks.rows]);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const byTask = !isByTask && isCode && (chosen ?? full.nodes.length > groupFrom);
  const { graph, grouped } = useMemo(() => drawable(byTask ? groupByName(full) : full), [full, byTask]);
  const { cards, lines } = useMemo(() => cardsOf(graph), [graph]);

  const { error, isRead, reload } =
    groups === null
      ? { error: tasks.error, isRead: tasks.complete, reload: tasks.reload }
      : { error: groups.error, isRead: counted !== undefined, reload: () => void groups.refetch() };
  if (error !== null && (full.nodes.length === 0 || (isByTask && !isRead))) return <Failed what="The graph" error={error} retry={reload} />;
  if ((full.nodes.length === 0 || isByTask) && !isRead) return <LoadingBlock height={420} />;
  if (full.nodes.length === 0)
    return (
      <Empty title="No task has begun">
        {detail.run.startedAt === null ? 'The graph appears with the first tasks, once the run has started.' : 'This run called no task.'}
      </Empty>
    );
  const select = (id: string | null): void => onSelect(id === null ? null : id.replace(/^task:/, ''));
  return (
    <>
      {isCode && isByTask ? (
        <div className={graphStyle.toolbar} role="note">
          <span>{`${countText(totalOf(addCounts((counted?.items ?? []).map(({ counts }) => counts))))} task runs, one card per task`}</span>
        </div>
      ) : null}
      {isCode && !isByTask && full.nodes.length > 1 ? (
        <div className={graphStyle.toolbar}>
          <Switch label="One card per task" checked={byTask} onChange={(event) => setChosen(event.currentTarget.checked)} />
          <span>{countText(full.nodes.length)} task runs; solid lines are what each was given, dashed ones only what came before</span>
        </div>
      ) : null}
      {grouped ? (
        <div className={graphStyle.toolbar} role="note">
          <span>{`${countText(full.nodes.length)} ${isCode ? 'task runs' : 'tasks'} are too many to draw one by one, so they are grouped.`}</span>
          <Button variant="subtle" size="compact-xs" onClick={() => onSelect(null)} hidden={selected === null}>
            Clear selection
          </Button>
        </div>
      ) : null}
      {tasks.cut ? <div className={graphStyle.toolbar}>{`Drawn from the first ${countText(tasks.rows.length)} task runs.`}</div> : null}
      <GraphView
        cards={cards}
        lines={lines}
        label={`Graph of ${detail.run.flow}`}
        selected={byTask && selected !== null ? `task:${selected}` : selected}
        onSelect={select}
      />
      <LastLines runId={detail.run.id} taskRunId={null} lines={linesBelow} live={!isTerminal(detail.run.state.type)} named={tasks.rows} />
    </>
  );
}

/** Unrecorded items of mapped tasks count as well: still to come, or left out if the run has ended. */
const nothing: TaskGroups = { items: [], given: [] };

/** The groups, including items of mapped tasks that are still to come. */
function withComing({ items, given }: TaskGroups, run: Pick<RunFacts, 'mapped' | 'state'>): TaskGroups {
  const counts = items.flatMap(({ name, counts: of }) => Object.entries(of).map(([state, count]) => ({ name, state, count })));
  const all = countsOf(counts, run);
  return { items: items.map((group) => ({ ...group, counts: all.get(group.name) ?? group.counts })), given };
}

function countsOf(counts: readonly TaskCount[], { mapped, state }: Pick<RunFacts, 'mapped' | 'state'>): ReadonlyMap<string, StateCounts> {
  const byName = new Map<string, Partial<Record<StateName, number>>>();
  for (const { name, state, count } of counts) {
    const of = byName.get(name) ?? {};
    of[state as StateName] = (of[state as StateName] ?? 0) + count;
    byName.set(name, of);
  }
  const unmade = isTerminal(state.type) ? 'Cancelled' : 'Pending';
  for (const [name, items] of Object.entries(mapped ?? {})) {
    const of = byName.get(name) ?? {};
    const rest = items - totalOf(of);
    if (rest > 0) byName.set(name, { ...of, [unmade]: (of[unmade] ?? 0) + rest });
  }
  return byName;
}

/** Cards and lines of a graph; the critical path is marked once something has begun. */
export function cardsOf({ nodes, edges }: RunGraph): { readonly cards: readonly Card[]; readonly lines: readonly Line[] } {
  // Undoing begins after everything else, and delayed nothing.
  const undoing = new Set(edges.flatMap(({ kind, to }) => (kind === 'undo' ? to : [])));
  const path = criticalPath(
    nodes.filter(({ id }) => !undoing.has(id)),
    edges,
  );
  const at = new Map(path.map((id, place) => [id, place]));
  // A path of one card is meaningless.
  const isCritical = (id: string): boolean => path.length > 1 && at.has(id);
  return {
    cards: nodes.map((node) => ({
      id: node.id,
      label: node.label,
      state: node.state,
      counts: node.kind === 'mapped' || node.kind === 'group' ? node.counts : null,
      startedAt: node.startedAt,
      endedAt: node.endedAt,
      attempts: node.attempts,
      note: node.note ?? (node.kind === 'flow' ? 'sub-flow' : null),
      critical: isCritical(node.id),
      progress: node.progress,
    })),
    lines: edges.map((edge) => ({ ...edge, critical: isCritical(edge.from) && at.get(edge.to) === (at.get(edge.from) ?? 0) + 1 })),
  };
}
