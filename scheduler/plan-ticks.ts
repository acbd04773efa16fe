/** Decides what to do with the due ticks of schedules: catch-up first, then overlap with runs of the same deployment. */
import type { MakeId } from '../src/base/id.ts';
import { deploymentRun } from '../src/engine/submit/deployment-run.ts';
import { type OpenTick, overlapOf } from '../src/model/schedule/overlap.ts';
import { stateOf } from '../src/model/state.ts';
import { jitterOf, type TickAnswer, type TickQuestion, ticksDue } from '../src/model/schedule/ticks.ts';
import type { DueSchedule, NewRun, TickPlan, TickRun } from '../src/store/store.ts';

export interface PlanOptions {
  readonly makeId: MakeId;
  /** In [0, 1); for the names of runs. */
  readonly random: () => number;
  readonly lookAheadMs: number;
  /** Maximum runs per plan; a schedule with more ticks gets the rest when asked again. At least one each. */
  readonly maxRuns: number;
}

/**
 * Returns the plans in the order of the schedules. One that cannot be computed is set aside with the reason.
 *
 * @param asOf instant as of which a tick counts as missed, UTC epoch ms
 * @param open runs of earlier ticks that have not ended, oldest first, by deployment
 */
export function planTicks(
  due: readonly DueSchedule[],
  now: number,
  asOf: number,
  open: ReadonlyMap<string, readonly OpenTick[]>,
  options: PlanOptions,
): readonly TickPlan[] {
  const limit = Math.max(1, Math.floor(options.maxRuns / Math.max(1, due.length)));
  const standing = new Map([...open].map(([name, ticks]) => [name, [...ticks]]));
  const answerFor = rememberAnswers();
  return due.map((one) => {
    try {
      return planOne(one, answerFor(questionOf(one, now, asOf, limit, options)), now, standing, options);
    } catch (error) {
      // The rules are pure and would fail forever; the other schedules must not wait for it.
      return { runs: [], nextTickAt: null, fault: error instanceof Error ? error.message : String(error) };
    }
  });
}

function questionOf({ deployment, schedule }: DueSchedule, now: number, asOf: number, limit: number, options: PlanOptions): TickQuestion {
  const { catchup, catchupWindowMs, overlap } = deployment;
  const until = overlap === 'allow' ? now + options.lookAheadMs : now;
  return { schedule: schedule.schedule, nextTickAt: schedule.nextTickAt, catchup, catchupWindowMs, asOf, until, limit };
}

/** Of thousands that tick together most share a rule, and reading one costs more than everything else here. */
function rememberAnswers(): (question: TickQuestion) => TickAnswer {
  const answers = new Map<string, TickAnswer>();
  return (question) => {
    const key = JSON.stringify(question);
    const known = answers.get(key) ?? ticksDue(question);
    answers.set(key, known);
    return known;
  };
}

function planOne(
  one: DueSchedule,
  { ticks, dropped, nextTickAt }: TickAnswer,
  now: number,
  standing: Map<string, OpenTick[]>,
  options: PlanOptions,
): TickPlan {
  const runs = ticks.map((tick) => runFor(one, tick, now, standing, options));
  if (dropped !== null) runs.unshift(droppedRun(one, dropped.lastAt, dropped.message, now, options));
  return { runs, nextTickAt };
}

function runFor(
  one: DueSchedule,
  { at, missed }: { readonly at: number; readonly missed: boolean },
  now: number,
  standing: Map<string, OpenTick[]>,
  options: PlanOptions,
): TickRun {
  const { deployment, schedule } = one;
  const open = standing.get(deployment.name) ?? [];
  const verdict = overlapOf(deployment.overlap, open);
  if (verdict.kind === 'drop') return droppedRun(one, at, verdict.message, now, options);
  const held = verdict.kind === 'hold';
  const made = missed ? 'Makes up for its tick, which was missed while no scheduler was running.' : null;
  // One made late can only be waited for from now on.
  const dueAt = Math.max(at + jitterOf(schedule.id, at, schedule.jitterMs), now);
  const run = { ...tickRun(one, at, dueAt, now, options), state: stateOf('SCHEDULED', 'Scheduled', held ? verdict.message : made) };
  if (deployment.overlap !== 'allow') standing.set(deployment.name, [...open, { name: run.name, scheduledFor: at, held }]);
  return { run, held };
}

/** The row that records a tick without a run, and the reason. */
function droppedRun(one: DueSchedule, at: number, message: string, now: number, options: PlanOptions): TickRun {
  return { run: { ...tickRun(one, at, null, now, options), state: stateOf('CANCELLED', 'Skipped', message), endedAt: now }, held: false };
}

function tickRun(
  { deployment, flowConcurrency, schedule }: DueSchedule,
  at: number,
  dueAt: number | null,
  now: number,
  { makeId, random }: PlanOptions,
): NewRun {
  return deploymentRun({ makeId, random, clock: { now: () => now } }, deployment, {
    params: schedule.params ?? deployment.params,
    flowConcurrency,
    scheduledFor: at,
    dueAt,
    scheduleId: schedule.id,
  });
}
