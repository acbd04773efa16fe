/** `batuta limit ls|set|delete`: limits with who holds them and who waits. */
import { formatDuration } from '../../base/duration.ts';
import type { LimitHolder, LimitView } from '../../client/fleet-client.ts';
import { toWire } from '../../client/wire.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson, printList } from '../print.ts';
import { readCount } from '../read-options.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { oneLine } from '../render/width.ts';

/** Prints the limits by name. */
export async function listLimits(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const limits = await withClient(context, (client) => client.limits.list());
  return printList(context, limits, options, {
    columns,
    cells: (limit, paint) => cellsOf(limit, context.clock.now(), paint),
    json: limitJson,
    empty: 'No limits. Set one on the tasks of a tag: batuta limit set tag:db 10',
  });
}

const maxSlots = 1_000_000;

/** Sets a limit. Those that hold more than it allows finish first. */
export async function setLimit(context: CommandContext, name: string, slots: string, options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const count = readCount('The number of slots', slots, { min: 0, max: maxSlots });
  const limit = await withClient(context, (client) => client.limits.set(name, count));
  if (options.json) return printJson(terminal, limitJson(limit));
  const over = limit.held > limit.slots ? ` ${limit.held} are held; those that hold one finish first.` : '';
  terminal.out.line(`The limit ${limit.name} is ${limit.slots} now.${over}`);
  return 0;
}

/** Takes a limit away. */
export async function deleteLimit(context: CommandContext, name: string): Promise<ExitStatus> {
  await withClient(context, (client) => client.limits.delete(name));
  context.terminal.out.line(`The limit ${name} is gone.`);
  return 0;
}

/** Most holders that are named in a row. */
const maxNamed = 3;

const columns: readonly Column[] = [
  { head: 'limit', max: 48 },
  { head: 'taken', align: 'right' },
  { head: 'waiting', align: 'right' },
  { head: 'held by', max: 60, drop: 1 },
  { head: 'longest wait', drop: 2 },
];

/** Cells of one limit, in the order of the columns. */
function cellsOf({ name, slots, held, waiting, holders, waiters }: LimitView, now: number, paint: Paint): string[] {
  const names = [...new Set(holders.map(({ runName }) => runName))];
  const more = names.length > maxNamed ? ' …' : '';
  const [longest] = waiters;
  const taken = `${held}/${slots}`;
  return [
    oneLine(name),
    held >= slots ? paint.yellow(taken) : taken,
    String(waiting),
    `${names.slice(0, maxNamed).map(oneLine).join(', ')}${more}`,
    longest === undefined ? '' : formatDuration(Math.max(0, now - longest.sinceAt)),
  ];
}

/** A limit as the API gives it, instants as ISO 8601. */
function limitJson({ name, slots, changeable, held, waiting, holders, waiters }: LimitView): object {
  return toWire({ name, slots, changeable, held, waiting, holders: holders.map(holderOf), waiters: waiters.map(holderOf) });
}

function holderOf({ runId, runName, taskRunId, sinceAt }: LimitHolder): LimitHolder {
  return { runId, runName, taskRunId, sinceAt };
}
