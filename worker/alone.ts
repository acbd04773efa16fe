/**
 * The process that executes one run or spread task on trial, and nothing else: whatever ends it is caused by that one.
 *
 * Started by `startAlone` with an order; claims, executes, ends. It dies with its worker: then it hands back what it has.
 */
import { systemClock } from '../src/base/clock.ts';
import { cutText } from '../src/base/cut-text.ts';
import { endProcess } from '../src/base/end-process.ts';
import { openLog } from '../src/base/log.ts';
import { openLocalClient } from '../src/client/open-local-client.ts';
import { loadFlows } from '../src/define/load-flows.ts';
import { takeUnchargedErrors } from '../src/engine/run/catch-escaped.ts';
import { refuseExits } from '../src/engine/run/refuse-exit.ts';
import { SpreadWorker } from '../src/engine/spread/spread-worker.ts';
import type { FlowDefinition } from '../src/model/flow.ts';
import { putTickets } from '../src/upkeep/parts.ts';
import type { AloneNews, AloneOrder, AloneRequest } from './alone-protocol.ts';
import { FleetSpread } from './fleet-spread.ts';
import { processTicket } from './process-ticket.ts';
import { startWatchdog } from './watchdog.ts';
import { suspendOverMs } from './worker.ts';

/** How long it may take to hand back what it has once its worker is gone, ms. */
const orphanMs = 5_000;

/** Hands back what it has; null before it can have anything. */
let stop: ((deadlineMs: number) => Promise<void>) | null = null;

// Signals of a terminal reach the whole group; the worker decides what they mean for this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
refuseExits();
takeUnchargedErrors((error) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tell({ seen: `an error that nobody caught: ${cutText(text, 2_000)}` }, () => endProcess(1));
});
process.once('disconnect', endAsOrphan);
// The worker may have gone while this file was being loaded.
if (!process.connected) endAsOrphan();
process.on('message', (request: AloneRequest) => {
  if ('stopMs' in request) void stop?.(request.stopMs);
  else
    void execute(request.order).then(
      (isExecuted) => tell({ done: true, isExecuted }, () => endProcess(0)),
      (error: unknown) => tell({ seen: String(error) }, () => endProcess(1)),
    );
});

function endAsOrphan(): void {
  // What cannot be handed back in time, e.g. because the database is gone, is reclaimed when its lease ends.
  systemClock.setTimer(orphanMs, () => endProcess(1));
  void (stop?.(0) ?? Promise.resolve()).finally(() => endProcess(1));
}

/** False if it was unavailable. */
async function execute({ config, cwd, kind, id }: AloneOrder): Promise<boolean> {
  const log = await openLog({
    level: config.logLevel,
    format: config.logFormat,
    colors: false,
    write: (text) => process.stderr.write(text),
  });
  const { flows: found } = await loadFlows(config.flows, { cwd });
  const flows = new Map<string, FlowDefinition>(found.map((flow) => [flow.name, flow]));
  const spread = new FleetSpread({ clock: systemClock, log: log.logger });
  const client = await openLocalClient(
    { config, log, reports: false },
    { settings: { abortUnrenewed: true, suspendOverMs, isAlone: true }, spread },
  );
  const { engine } = client;
  const broker = await client.broker();
  spread.connect(broker);
  const tasks = new SpreadWorker({ services: engine.services, spread, flows });
  stop = async (deadlineMs) => {
    const [left] = await Promise.all([engine.handBack(deadlineMs), tasks.handBack(deadlineMs)]);
    await putTickets({ broker, log: log.logger }, left, systemClock.now()).catch(() => undefined);
  };
  tell({ owner: engine.services.owner.id });
  const watchdog = startWatchdog({ config, owner: engine.services.owner.id, mayEndProcess: true });
  const isExecuted = await (kind === 'run'
    ? processTicket({ engine, broker, log: log.logger, flows }, { kind, id, epoch: 1 })
    : tasks.execute(id));
  await watchdog.stop();
  await client.close();
  return isExecuted;
}

function tell(news: AloneNews, then?: () => void): void {
  if (process.connected && process.send) process.send(news, () => then?.());
  else then?.();
}
