/** What a run has opened, as rows of bars over time: one row a resource, one bar an opening. Pure. */
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { durationText } from '../parts/format.ts';

/** Rows that are shown without being asked for; of more there is a summary. */
export const fewResources = 6;

/** One opening. Instants are UTC epoch ms. */
export interface Opening {
  readonly id: string;
  readonly fromAt: number;
  /** It was open; null while it is being opened, and where that failed. */
  readonly openedAt: number | null;
  /** Closing began; null before that. */
  readonly closingAt: number | null;
  /** It was closed, failed, or its process was lost; null: goes on. */
  readonly untilAt: number | null;
  readonly outcome: 'fine' | 'opening failed' | 'closing failed' | 'lost';
  /** What happened, in words. */
  readonly told: string;
}

export interface ResourceRow {
  readonly kind: 'resource';
  /** Not to be mistaken for one of a task run. */
  readonly id: string;
  readonly name: string;
  /** Null for one without a key. */
  readonly key: string | null;
  readonly scope: ResourceUse['scope'];
  /** In the order in which they began. */
  readonly openings: readonly Opening[];
  readonly failed: number;
  /** The one task run that has opened it; null where that is the run, or there are several. */
  readonly taskRunId: string | null;
  readonly fromAt: number;
  readonly untilAt: number | null;
}

/** How a run and its task runs have ended, and what they are called. */
export interface ResourceOwners {
  /** UTC epoch ms; null while the run goes on. */
  readonly runEndedAt: number | null;
  /** Of a task run that is known. */
  readonly taskOf: (id: string) => { readonly label: string; readonly endedAt: number | null } | null;
}

/** One row for each resource, key and scope, in the order in which they were first opened. */
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
  // What nobody has closed went with its process, at the latest when its task or run had ended.
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
 * The openings that can be told apart on the screen: of those that begin and end within what is drawn already, only the ones that went wrong.
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

/** A row as it is read out. */
export function spokenOf({ name, key, scope, openings, failed }: ResourceRow): string {
  const times = openings.length === 1 ? (openings[0]?.told ?? '') : `opened ${openings.length} times`;
  return `Resource ${name}${key === null ? '' : ` (${key})`} of the ${scope}: ${times}${failed > 0 && openings.length > 1 ? `, ${failed} failed` : ''}`;
}
