/** The resources of a run, as rows of bars over time: one row per resource, one bar per opening. Pure. */
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { durationText } from '../parts/format.ts';

/** Most rows shown by default; more are summarised. */
export const fewResources = 6;

/** One opening. Instants are UTC epoch ms. */
export interface Opening {
  readonly id: string;
  readonly fromAt: number;
  /** When it was open; null while it is being opened, or if that failed. */
  readonly openedAt: number | null;
  /** When closing began; null before that. */
  readonly closingAt: number | null;
  /** When it was closed, failed, or lost its process; null while it is open. */
  readonly untilAt: number | null;
  readonly outcome: 'fine' | 'opening failed' | 'closing failed' | 'lost';
  /** What happened, in words. */
  readonly told: string;
}

export interface ResourceRow {
  readonly kind: 'resource';
  /** Distinct from ids of task runs. */
  readonly id: string;
  readonly name: string;
  /** Null if it has no key. */
  readonly key: string | null;
  readonly scope: ResourceUse['scope'];
  /** In the order they began. */
  readonly openings: readonly Opening[];
  readonly failed: number;
  /** The single task run that opened it; null if it was the run, or several. */
  readonly taskRunId: string | null;
  readonly fromAt: number;
  readonly untilAt: number | null;
}

/** Ends and labels of a run and its task runs. */
export interface ResourceOwners {
  /** UTC epoch ms; null while the run is running. */
  readonly runEndedAt: number | null;
  /** Details of a known task run. */
  readonly taskOf: (id: string) => { readonly label: string; readonly endedAt: number | null } | null;
}

/** One row per resource, key and scope, in the order they were first opened. */
export function resourceRows(uses: readonly ResourceUse[], owners: ResourceOwners): readonly ResourceRow[] {
  const byResource = new Map<string, ResourceUse[]>();
  for (const use of uses) {
    const id = `resource ${use.scope} ${use.resource}`;
    const list = byResource.get(id);
    if (list) list.push(use);
    else byResource.set(id, [use]);
  }
  return [...byResource].map(([id, list]) => rowOf(id, list, owners));
}

function rowOf(id: string, uses: readonly ResourceUse[], owners: ResourceOwners): ResourceRow {
  const [first] = uses as [ResourceUse];
  const [, name = first.resource, key = null] = /^'([\s\S]*?)'(?: \(([\s\S]*)\))?$/.exec(first.resource) ?? [];
  const openings = uses.map((use) => openingOf(use, owners));
  const ends = openings.map(({ untilAt }) => untilAt ?? Number.POSITIVE_INFINITY);
  const last = ends.reduce((a, b) => Math.max(a, b));
  return {
    ...{ kind: 'resource', id, name, key, scope: first.scope, openings },
    failed: openings.filter(({ outcome }) => outcome !== 'fine').length,
    taskRunId: uses.every(({ taskRunId }) => taskRunId === first.taskRunId) ? first.taskRunId : null,
    fromAt: openings.reduce((least, { fromAt }) => Math.min(least, fromAt), first.beganAt),
    untilAt: Number.isFinite(last) ? last : null,
  };
}

function openingOf(use: ResourceUse, { runEndedAt, taskOf }: ResourceOwners): Opening {
  const { id, beganAt, openedAt, closingAt, closedAt, error, taskRunId } = use;
  const task = taskRunId === null ? null : taskOf(taskRunId);
  // A resource never closed was lost with its process, at the latest when its task or run had ended.
  const lostAt = closedAt === null ? ((taskRunId === null ? null : task?.endedAt) ?? runEndedAt) : null;
  const outcome = error !== null ? (openedAt === null ? 'opening failed' : 'closing failed') : lostAt === null ? 'fine' : 'lost';
  const untilAt = closedAt ?? (lostAt === null ? null : Math.max(lostAt, openedAt ?? beganAt));
  const steps = [
    openedAt === null ? null : `opening ${durationText(openedAt - beganAt)}`,
    openedAt === null || closingAt === null ? null : `open ${durationText(closingAt - openedAt)}`,
    closingAt === null || closedAt === null ? null : `closing ${durationText(closedAt - closingAt)}`,
    outcome === 'lost' ? 'its process was lost before it was closed' : error,
    outcome === 'fine' && closedAt === null ? (openedAt === null ? 'being opened' : closingAt === null ? 'open' : 'being closed') : null,
  ];
  const told = [...(task === null ? [] : [`${task.label}: `]), steps.filter((step) => step !== null).join(', ')].join('');
  return { id, fromAt: beganAt, openedAt, closingAt, untilAt, outcome, told };
}

/**
 * The openings distinguishable on the screen: of those hidden behind a bar already drawn, only failed ones.
 *
 * @param xOf where an instant is drawn, px
 */
export function visibleOpenings(openings: readonly Opening[], xOf: (at: number) => number, now: number): readonly Opening[] {
  let drawnUntil = Number.NEGATIVE_INFINITY;
  return openings.filter(({ untilAt, outcome }) => {
    const end = Math.ceil(xOf(untilAt ?? now));
    if (end <= drawnUntil && outcome === 'fine') return false;
    drawnUntil = Math.max(drawnUntil, end);
    return true;
  });
}

/** A row for screen readers. */
export function spokenOf({ name, key, scope, openings, failed }: ResourceRow): string {
  const times = openings.length === 1 ? (openings[0]?.told ?? '') : `opened ${openings.length} times`;
  return `Resource ${name}${key === null ? '' : ` (${key})`} of the ${scope}: ${times}${failed > 0 && openings.length > 1 ? `, ${failed} failed` : ''}`;
}
