/** Stores, engines and brokers as workers have them, in one process: they take each other's spread tasks. */
import { join } from 'node:path';
import type { FlowClass } from 'batuta';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import type { EngineSettings } from '../../../src/engine/services.ts';
import { SpreadWorker } from '../../../src/engine/spread/spread-worker.ts';
import { taskQueueOf } from '../../../src/model/queue.ts';
import type { Run, TaskRun } from '../../../src/model/run.ts';
import { FleetSpread } from '../../../worker/fleet-spread.ts';
import { makeFaulty } from '../../support/faulty-broker.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { ownFolder } from '../../support/own-engine.ts';

const log = pino({ level: 'silent' });

export interface Node extends OpenEngine {
  /** Takes no more tasks and gives back those it has. */
  leave(): Promise<void>;
}

export interface NodeOptions {
  /** Where its database and large results are, which it shares with other nodes; default a folder of its own. */
  readonly folder?: string;
  readonly settings?: Partial<EngineSettings>;
  /** Faults of its broker, by this seed. */
  readonly faulty?: number;
  readonly queues?: readonly string[];
}

/** Takes spread tasks of these flows; runs are submitted to it. It is closed with the test. */
export async function openNode(flows: readonly FlowClass[], options: NodeOptions = {}): Promise<Node> {
  const { folder = ownFolder(), settings = {}, faulty, queues = ['default'] } = options;
  const spread = new FleetSpread({ clock: systemClock, log });
  const opened = await openEngine({ url: `sqlite:${join(folder, 'batuta.db')}`, results: join(folder, 'results'), settings, spread });
  const real = await openBroker({ url: null, store: opened.store });
  const broker = faulty === undefined ? real : makeFaulty(real, { seed: faulty, drop: 0.3, repeat: 0.3, delay: 0.3, reorder: true });
  spread.connect(broker);
  const known = new Map(flows.map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
  const tasks = new SpreadWorker({ services: opened.engine.services, spread, flows: known });
  const consumer =
    queues.length === 0 ? null : broker.consume(queues.map(taskQueueOf), { concurrency: 4 }, (ticket) => tasks.execute(ticket.id));
  const loop = reissueLoop({ engine: opened.engine, broker, log }, { intervalMs: 50 });
  onTestFinished(async () => {
    await loop.stop();
    await tasks.handBack(0);
    await opened.client.close({ graceMs: 0 });
    await broker.close();
  });
  await loop.start();
  const leave = async (): Promise<void> => {
    await consumer?.quiet();
    await tasks.handBack(0);
  };
  return { ...opened, leave };
}

/** A run that has ended; its result, or what it failed with. */
export interface Ended {
  readonly run: Run;
  readonly result: unknown;
  readonly rows: readonly TaskRun[];
}

export async function runOn(node: Node, flow: FlowClass, params: unknown = {}): Promise<Ended> {
  const handle = await node.client.submit(flow, params);
  const run = await handle.done();
  const result = await handle.result().catch((error: unknown) => error);
  return { run, result, rows: await node.store.taskRuns.ofRun(run.id) };
}
