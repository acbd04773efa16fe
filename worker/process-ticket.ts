/**
 * Handles one ticket: claims its run, executes it, and releases it. For a run that has crashed it calls the hooks. A ticket without either
 * is dropped.
 */
import type { Logger } from 'pino';
import { isBatutaError } from '../src/base/errors.ts';
import type { Broker, Delivery, Ticket } from '../src/broker/broker.ts';
import { rowAwaitedMs } from '../src/client/enqueue.ts';
import { claimOf } from '../src/engine/lease/claim.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { ClaimHearer } from '../src/engine/lease/run-claims.ts';
import { outsideRuns } from '../src/engine/run/flow-scope.ts';
import { endIfCancelled } from '../src/engine/run/hand-back.ts';
import { callHooksAfterwards } from '../src/engine/run/hooks.ts';
import { pinnedElsewhere, pinOf } from '../src/engine/run/pinned.ts';
import { bindLimit } from '../src/engine/run/start-run.ts';
import { weightOfKey } from '../src/model/fairness.ts';
import type { FlowDefinition } from '../src/model/flow.ts';
import { pinnedText, type RunPin } from '../src/model/pin.ts';
import type { Run } from '../src/model/run.ts';
import { tooHeavyText } from '../src/model/slots.ts';
import { isTerminal, stateOf } from '../src/model/state.ts';
import { closeDebounce, isDebounced } from './close-debounce.ts';
import type { FairTicket, HeavyRun } from '../src/store/store.ts';
import type { FlowRoutes } from './flow-routes.ts';
import { type Arrived, takePlaces } from './take-places.ts';

/** How long another worker has to take it, one that knows the flow or has enough places, ms. */
const unfitDelayMs = 5_000;

export interface TicketParts {
  readonly engine: Engine;
  readonly broker: Broker;
  readonly log: Logger;
  /** Flows of this worker by name. */
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  /** Flows unknown here that were already logged. Without it each of their runs is logged. */
  readonly loggedUnknown?: Set<string>;
  /** Flows whose weight function is faulty, already logged. */
  readonly loggedWeights?: Set<string>;
  /** Where runs of flows unknown here go; without it their tickets come again. */
  readonly routes?: Pick<FlowRoutes, 'find' | 'leave'> & Partial<Pick<FlowRoutes, 'findPlaces'>>;
  /** Called when the run of a tick has ended here, for those that wait for it. Without it a scheduler finds them within a second. */
  readonly tickEnded?: (deployment: string) => void;
  /** Called when a run of a backfill has ended here, so that the next may begin. Without it a scheduler finds it within a second. */
  readonly backfillRunEnded?: (backfill: string) => void;
}

/** Why a run was not claimed. */
interface Found {
  heavy: HeavyRun | null;
  fair: FairTicket | null;
}

/**
 * Works on a ticket until its run has ended here. False if the run was unavailable and owes no hooks.
 *
 * @param wasLeft whether another worker, one that does not know its flow or lacks the places, has left it to this one
 * @param delivery how the ticket came; null in a process that executes nothing else
 * @throws BatutaError STORE_… the run is found again once its lease is over
 */
export async function processTicket(
  parts: TicketParts,
  ticket: Ticket,
  wasLeft = false,
  delivery: Delivery | null = null,
): Promise<boolean> {
  const found: Found = { heavy: null, fair: null };
  let run = await claimTicket(parts.engine, ticket, { heavy: (heavy) => (found.heavy = heavy), fair: (fair) => (found.fair = fair) });
  if (run === null && found.fair !== null) return takeTurn(parts, ticket, found.fair, delivery);
  if (run === null && found.heavy !== null && delivery !== null) {
    const claimed = await claimHeavy(parts, ticket, found.heavy, { delivery, wasLeft });
    if (claimed === 'left') return true;
    run = claimed;
  }
  if (run === null) return callOwedHooks(parts, ticket.id);
  await untilDue(parts.engine, run);
  const definition = parts.flows.get(run.flow);
  const pin = await pinnedElsewhere(parts.engine.services.store, run, definition, parts.flows);
  if (pin !== null) await leavePinned(parts, run, pin, wasLeft);
  else if (definition === undefined) await leaveToOthers(parts, run, wasLeft);
  else if (isDebounced(run)) await executeClosed(parts, run, definition);
  else if (await bindLimit(parts.engine.services, run, definition)) await execute(parts, run, definition, wasLeft);
  return true;
}

/** A ticket that grants a turn: works on the run whose turn it is, as if its own ticket had come. False if none waits. */
async function takeTurn(parts: TicketParts, ticket: Ticket, right: FairTicket, delivery: Delivery | null): Promise<boolean> {
  const { engine, broker, log, flows, loggedWeights } = parts;
  if (right.isCrashed && (await callOwedHooks(parts, ticket.id))) return true;
  const turn = await engine.takeTurn(right, (flow, key) => {
    const fairness = flows.get(flow)?.fairness;
    if (!fairness) return 1;
    const onFault = (why: string): void => {
      if (loggedWeights?.has(flow)) return;
      loggedWeights?.add(flow);
      log.warn({ flow, key }, `The function fairness.weight gives no weight for a key, which counts as 1: ${why}.`);
    };
    return outsideRuns(log, { name: flow }, () => weightOfKey(fairness, key, onFault));
  });
  if (turn === null) return false;
  const own = { kind: 'run', id: turn.id, epoch: turn.epoch } as const;
  let isGivenBack = false;
  const arrived = delivery && { ...delivery, places: delivery.places, giveBack: () => (isGivenBack = true) };
  const isDone = await processTicket(parts, own, false, arrived);
  // The ticket that came was for another run.
  if (isGivenBack) await broker.put({ ...own, priority: right.priority }, { queue: right.queue });
  return isDone;
}

/**
 * Claims a run that takes several places, with as many. `left`: another worker has it, its ticket comes again, or it waits for a larger
 * worker, as its row says.
 */
async function claimHeavy(parts: TicketParts, ticket: Ticket, heavy: HeavyRun, arrived: Arrived): Promise<Run | 'left' | null> {
  const { engine, flows, log } = parts;
  // Workers that know the flow handle the places.
  if (!flows.has(heavy.flow)) return engine.claimHeavy(heavy.id, heavy.slots);
  const isWaiting = async (): Promise<boolean> => {
    const run = await engine.services.store.runs.get(heavy.id);
    return run !== null && run.owner === null && !isTerminal(run.state.type);
  };
  const found = await takePlaces({ ...parts, clock: engine.services.clock, isWaiting }, ticket, heavy, arrived);
  if (found.kind === 'left') return 'left';
  const run = await engine.claimHeavy(heavy.id, heavy.slots);
  if (found.kind === 'taken' || run === null) return run;
  const message = tooHeavyText(heavy.slots, heavy.queue, found.most);
  if (run.state.message !== message) log.warn({ run: run.id, flow: run.flow, slots: heavy.slots }, message);
  await sayWhyItWaits(parts, run, message);
  await giveBack(parts, run, engine.services.clock.now() + unfitDelayMs);
  return 'left';
}

/** Executes a run that gathers calls, if it is time. */
async function executeClosed(parts: TicketParts, gathering: Run, definition: FlowDefinition): Promise<void> {
  const run = await closeDebounce(parts, gathering);
  if (run !== null && (await bindLimit(parts.engine.services, run, definition))) await execute(parts, run, definition);
}

async function execute(parts: TicketParts, run: Run, definition: FlowDefinition, wasLeft = false): Promise<void> {
  const owned = await parts.engine.execute(run, definition).catch((error: unknown) => {
    if (isBatutaError(error, 'SHUTDOWN')) return null;
    throw error;
  });
  if (owned === null) return giveBack(parts, run, null);
  const { id, deployment, scheduleId, backfillId, state } = await owned.ended;
  if (owned.givenUp?.code === 'RUN_SUSPENDED') await wakeWhenDue(parts, id);
  if (owned.givenUp?.code === 'RUN_PINNED') await putForVersion(parts, run, pinOf(owned.givenUp), wasLeft);
  if (!isTerminal(state.type)) return;
  if (scheduleId !== null && deployment !== null) parts.tickEnded?.(deployment);
  if (backfillId !== null) parts.backfillRunEnded?.(backfillId);
}

/**
 * The claimed run; null if it is unavailable: ended, held, not due, or missing. A run's first ticket may arrive before its row, so it is
 * retried, at once and then at growing intervals, for `rowAwaitedMs`.
 *
 * @param hearer notified why a waiting run is not claimed
 * @throws BatutaError STORE_…
 */
export async function claimTicket(engine: Engine, { id, epoch }: Ticket, hearer: ClaimHearer = {}): Promise<Run | null> {
  let waitedMs = 0;
  for (let ms = 0; ; ms = Math.max(1, ms * 2)) {
    let isMissing = false;
    const run = await engine.claim(id, {
      ...hearer,
      missing: () => (isMissing = true),
    });
    if (!isMissing || epoch !== 0 || waitedMs >= rowAwaitedMs) return run;
    if (ms > 0) await engine.services.clock.sleep(ms);
    waitedMs += ms;
  }
}

/**
 * Calls the hooks of a run that was made Crashed because its workers were lost. They are taken before they are called: only one worker
 * calls them, and hooks that take their worker down do so once. A worker that does not know the flow leaves them to others. False if there
 * are none.
 */
async function callOwedHooks({ engine, flows, routes }: TicketParts, id: string): Promise<boolean> {
  const { services } = engine;
  const run = await services.store.fleet.owedHooks(id);
  if (run === null) return false;
  const definition = flows.get(run.flow);
  const pin = await pinnedElsewhere(services.store, run, definition, flows);
  if (definition === undefined || pin !== null) {
    const key = await routes?.find(pin ?? { flow: run.flow }, run.queue);
    if (key) await routes?.leave({ kind: 'run', id, epoch: run.epoch }, run.queue, key);
  } else if (await services.store.fleet.takeHooks(run)) await callHooksAfterwards(services, definition, run);
  return true;
}

/** A claim may come up to a second early, if the fleet's clocks differ; nothing starts before its instant. */
async function untilDue({ services }: Engine, { dueAt }: Run): Promise<void> {
  if (dueAt === null) return;
  for (let ms = dueAt - services.clock.now(); ms > 0; ms = dueAt - services.clock.now()) await services.clock.sleep(Math.min(ms, 1_000));
}

/**
 * Puts the ticket that wakes a suspended run on time, possibly now: what it waits for may have come while it was released. If lost, the
 * check for lost tickets puts it again.
 */
async function wakeWhenDue({ engine, broker, log }: TicketParts, id: string): Promise<void> {
  try {
    const run = await engine.services.store.runs.get(id);
    if (run === null || run.dueAt === null || run.owner !== null || isTerminal(run.state.type)) return;
    const { epoch, queue, priority, dueAt } = run;
    await broker.put({ kind: 'run', id, epoch, priority, dueAt }, { queue });
  } catch (error) {
    log.warn({ err: error }, 'The ticket of a suspended run could not be put; it is put again when it is due.');
  }
}

/**
 * Gives the run back, to a worker that knows its flow. If none is alive, or others left it here believing this worker knows it, its row
 * says so and the ticket is put again for later.
 */
async function leaveToOthers(parts: TicketParts, run: Run, wasLeft: boolean): Promise<void> {
  const { flows, routes } = parts;
  const key = wasLeft ? null : await routes?.find({ flow: run.flow }, run.queue);
  if (routes && key) return leaveTo(parts, routes, run, key);
  const known = [...flows.keys()].join(', ');
  await sayUnknown(parts, run, {
    what: `the flow ${run.flow}`,
    message: `Waits for a worker that knows the flow ${run.flow}; the last that looked knows ${known === '' ? 'none' : known}.`,
  });
  await giveBack(parts, run, parts.engine.services.clock.now() + unfitDelayMs);
}

/** The same for a run pinned to a version of its flow not known here; if no living worker has it, the run is parked until one does. */
async function leavePinned(parts: TicketParts, run: Run, pin: RunPin, wasLeft: boolean): Promise<void> {
  const { routes } = parts;
  const key = wasLeft ? null : await routes?.find(pin, run.queue);
  if (routes && key) return leaveTo(parts, routes, run, key);
  await sayUnknown(parts, run, { what: `version ${pin.version} of the flow ${pin.flow}`, message: pinnedText(pin, run.id) });
  await release(parts, run);
  await park(parts, run, pin);
}

/** Tickets a run already given back because a sub-flow is pinned to a version not known here. */
async function putForVersion(parts: TicketParts, run: Run, pin: RunPin, wasLeft: boolean): Promise<void> {
  const { id, epoch, priority, queue } = run;
  const key = wasLeft ? null : await parts.routes?.find(pin, queue);
  if (parts.routes && key) return parts.routes.leave({ kind: 'run', id, epoch, priority }, queue, key);
  await park(parts, run, pin);
}

/** A released run is not claimed again until a worker has the version; such workers look for it, see `FlowRoutes`. */
async function park({ engine, broker }: TicketParts, { id, epoch, priority, queue }: Run, pin: RunPin): Promise<void> {
  if (await engine.services.store.pins.park('run', { id, epoch }, pin)) return;
  // Unpinned meanwhile; or others have it, and the ticket finds nothing.
  await broker.put({ kind: 'run', id, epoch, priority }, { queue });
}

async function leaveTo(parts: TicketParts, routes: Pick<FlowRoutes, 'leave'>, run: Run, key: string): Promise<void> {
  const { id, epoch, priority, queue } = run;
  await release(parts, run);
  await routes.leave({ kind: 'run', id, epoch, priority }, queue, key);
}

/** Records in the run, once, why it stands still. */
async function sayUnknown(
  parts: TicketParts,
  run: Run,
  { what, message }: { readonly what: string; readonly message: string },
): Promise<void> {
  const { log, loggedUnknown } = parts;
  if (run.state.message === message) return;
  if (!loggedUnknown?.has(what))
    log.warn({ run: run.id, unknownFlow: run.flow }, `This worker does not know ${what}; its runs are left to others.`);
  loggedUnknown?.add(what);
  await sayWhyItWaits(parts, run, message);
}

async function sayWhyItWaits({ engine }: TicketParts, run: Run, message: string): Promise<void> {
  if (run.state.message === message) return;
  const { type, name } = run.state.type === 'SCHEDULED' ? run.state : stateOf('SCHEDULED', 'Resuming');
  await engine.services.store.recorder.addRunPatch(claimOf(run), { state: { type, name, message } }, null);
}

async function giveBack(parts: TicketParts, run: Run, dueAt: number | null): Promise<void> {
  const { id, epoch, queue, priority } = run;
  await release(parts, run);
  await parts.broker.put({ kind: 'run', id, epoch, priority, dueAt }, { queue });
}

async function release({ engine: { services } }: TicketParts, run: Run): Promise<void> {
  await services.store.runs.release(claimOf(run));
  await endIfCancelled(services, claimOf(run));
  services.limits.runs.freed(run.concurrencyKey);
}
