/** Backfills for people and as JSON. */
import { formatDuration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import type { BackfillView } from '../../client/deployments-client.ts';
import { toWire } from '../../client/wire.ts';
import { barOf, countOf, percentOf } from './bar.ts';
import { shortId } from '../../model/ids.ts';
import type { Paint } from './shapes.ts';
import { factLines } from './table.ts';
import { agoText, isoOrNull } from './times.ts';

const barCells = 20;

/** What `--json` prints of a backfill. Times are ISO 8601 in UTC, or null. */
export function backfillJson(view: BackfillView): object {
  const { id, deployment, schedule, order, maxParallel, total, waiting, running, completed, failed, cancelled } = view;
  return {
    ...{ id, deployment, schedule },
    from: isoOrNull(view.fromAt),
    to: isoOrNull(view.untilAt),
    ...{ order, maxParallel, total, waiting, running, completed, failed, cancelled },
    state: stateOf(view),
    ...toWire({ createdAt: view.createdAt, cancelRequestedAt: view.cancelRequestedAt, endedAt: view.endedAt }),
  };
}

/** Its state: it ends `failed` if one of its runs did not complete. */
export function stateOf(view: BackfillView): 'running' | 'cancelling' | 'cancelled' | 'failed' | 'completed' {
  if (view.endedAt === null) return view.cancelRequestedAt === null ? 'running' : 'cancelling';
  if (view.cancelRequestedAt !== null) return 'cancelled';
  return view.failed + view.cancelled > 0 ? 'failed' : 'completed';
}

/** The painted state with its shape. */
export function backfillLabel(view: BackfillView, paint: Paint): string {
  const state = stateOf(view);
  switch (state) {
    case 'running':
      return paint.blueBright(`● ${state}`);
    case 'completed':
      return paint.green(`✓ ${state}`);
    case 'failed':
      return paint.red(`✕ ${state}`);
    default:
      return paint.gray(`⊘ ${state}`);
  }
}

/** A bar with the number of ended runs, and how they ended: `████░░ 40 %  12 of 30, 1 failed, 2 running`. */
export function progressText(view: BackfillView, paint: Paint): string {
  const { total, completed, failed, cancelled, running } = view;
  const done = completed + failed + cancelled;
  const parts = [
    `${countOf(completed)} of ${countOf(total)}`,
    ...(failed > 0 ? [paint.red(`${countOf(failed)} failed`)] : []),
    ...(cancelled > 0 ? [`${countOf(cancelled)} cancelled`] : []),
    ...(running > 0 ? [`${countOf(running)} running`] : []),
  ];
  return `${barOf(done / Math.max(1, total), barCells, paint, failed > 0 ? 'red' : 'green')} ${percentOf(done, total)}  ${parts.join(', ')}`;
}

/** All details of a backfill. */
export function backfillLines(view: BackfillView, now: number, paint: Paint): string[] {
  const facts: (readonly [string, string | null])[] = [
    ['id', view.id],
    ['ticks', `${instantText(view.fromAt)} to ${instantText(view.untilAt)} of schedule ${view.schedule}`],
    ['order', `${view.order} first, ${countOf(view.maxParallel)} at a time`],
    ['begun', agoText(view.createdAt, now)],
    ['took', view.endedAt === null ? null : formatDuration(view.endedAt - view.createdAt)],
    ['next', ['failed', 'cancelled'].includes(stateOf(view)) ? `${programName()} backfill resume ${shortId(view.id)}` : null],
  ];
  return [`${backfillLabel(view, paint)}  ${paint.bold(view.deployment)}  ${progressText(view, paint)}`, ...factLines(facts, paint, 5)];
}

/** In UTC, with milliseconds only if not zero. */
function instantText(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}
