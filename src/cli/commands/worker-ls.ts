/** `batuta worker ls`: the workers of the fleet. */
import { formatDuration } from '../../base/duration.ts';
import type { WorkerView } from '../../client/fleet-client.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { type Column, tableLines } from '../render/table.ts';
import { agoText, isoOrNull } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

const columns: readonly Column[] = [
  { head: 'worker', max: 40 },
  { head: 'state' },
  { head: 'runs', align: 'right' },
  { head: 'queues', max: 32 },
  { head: 'flows', align: 'right', drop: 2 },
  { head: 'lag', align: 'right', drop: 3 },
  { head: 'started', drop: 1 },
];

/** Prints the workers by name; one that has not been heard of for a lease is silent, one whose process has ended gone. */
export async function listWorkers(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const workers = await withClient(context, (client) => client.figures.workers());
  if (options.json) return printJson(terminal, workers.map(workerJson));
  if (workers.length === 0) {
    terminal.err.line('No workers. Start one: batuta worker');
    return 0;
  }
  const { out } = terminal;
  const rows = workers.map((worker) => [
    oneLine(worker.name),
    worker.state === 'alive' ? out.paint.green('alive') : out.paint.red(lostText(worker)),
    `${worker.running}/${worker.concurrency}`,
    worker.queues.join(','),
    String(Object.keys(worker.flows).length),
    formatDuration(worker.lagMs),
    agoText(worker.startedAt, clock.now()),
  ]);
  for (const line of tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
  return 0;
}

function lostText({ state, silentMs }: WorkerView): string {
  return state === 'gone' ? 'gone' : `silent for ${formatDuration(silentMs)}`;
}

function workerJson(worker: WorkerView): object {
  const { id, name, version, host, pid, state, queues, concurrency, running, flows, lagMs, startedAt, beatAt, silentMs } = worker;
  return {
    ...{ id, name, version, host, pid, state, alive: state === 'alive', queues, concurrency, running, flows, lagMs, silentMs },
    startedAt: isoOrNull(startedAt),
    beatAt: isoOrNull(beatAt),
  };
}
