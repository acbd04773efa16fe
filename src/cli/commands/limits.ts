/** `batuta limit ls|set|delete`: limits and rates with their holders and waiters. */
import { type Duration, formatDuration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import type { LimitHolder, LimitView } from '../../client/fleet-client.ts';
import { toWire } from '../../client/wire.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printList } from '../print.ts';
import { maxStarts, rateText } from '../../model/rate.ts';
import { readCount, readDuration, usage } from '../read-options.ts';
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
    empty: `No limits. Set one on the tasks of a tag: ${programName()} limit set tag:db 10`,
  });
}

const maxSlots = 1_000_000;

export interface SetLimitOptions extends JsonOption {
  readonly per?: string;
  readonly key?: string;
}

/** Sets a limit. Holders beyond it finish first. */
export async function setLimit(context: CommandContext, name: string, slots: string, options: SetLimitOptions): Promise<ExitStatus> {
  const { terminal } = context;
  if (options.per !== undefined) return setRate(context, name, slots, { ...options, per: options.per });
  if (options.key !== undefined) throw usage('--key goes with --per: only a rate has one.');
  const count = readCount('The number of slots', slots, { min: 0, max: maxSlots });
  const limit = await withClient(context, (client) => client.limits.set(name, count));
  const over = limit.held > limit.slots ? ` ${limit.held} are held; those that hold one finish first.` : '';
  return printDone(terminal, options, limitJson(limit), `The limit ${limit.name} is ${limit.slots} now.${over}`);
}

async function setRate(
  context: CommandContext,
  name: string,
  starts: string,
  options: SetLimitOptions & { readonly per: string },
): Promise<ExitStatus> {
  const { per, key } = options;
  const limit = readCount('The number of starts', starts, { min: 1, max: maxStarts });
  const window = readDuration('--per', per) as Duration;
  const view = await withClient(context, (client) => client.limits.setRate(name, { limit, per: window, key }));
  const each = key === undefined ? '' : ` for each ${key}`;
  return printDone(
    context.terminal,
    options,
    limitJson(view),
    `The rate ${name} is ${rateText(view.slots, view.rate?.perMs ?? 0)}${each} now.`,
  );
}

/** Deletes a limit, a rate, or both. */
export async function deleteLimit(
  context: CommandContext,
  name: string,
  options: JsonOption & { readonly slots?: boolean; readonly rate?: boolean },
): Promise<ExitStatus> {
  const which = options.slots === options.rate ? undefined : options.rate ? 'rate' : 'slots';
  await withClient(context, (client) => client.limits.delete(name, which));
  return printDone(context.terminal, options, [name], `The ${which === 'rate' ? 'rate' : 'limit'} ${name} is gone.`);
}

/** Most holders named in a row. */
const maxNamed = 3;

const columns: readonly Column[] = [
  { head: 'limit', max: 48 },
  { head: 'taken', align: 'right' },
  { head: 'waiting', align: 'right' },
  { head: 'window' },
  { head: 'room again', drop: 3 },
  { head: 'held by', max: 60, drop: 1 },
  { head: 'longest wait', drop: 2 },
];

/** Cells of one limit, in the order of the columns. */
function cellsOf({ name, slots, rate, held, waiting, holders, waiters }: LimitView, now: number, paint: Paint): string[] {
  const names = [...new Set(holders.map(({ runName }) => runName))];
  const more = names.length > maxNamed ? ' …' : '';
  const [longest] = waiters;
  const taken = `${held}/${slots}`;
  return [
    // A rate with a key stands for the key's values, each listed by itself.
    oneLine(rate?.key ? `${name}:${rate.key}` : name),
    held >= slots ? paint.yellow(taken) : taken,
    String(waiting),
    rate === undefined ? '' : formatDuration(rate.perMs),
    rate === undefined || rate.nextAt === null ? '' : `in ${formatDuration(Math.max(0, rate.nextAt - now))}`,
    `${names.slice(0, maxNamed).map(oneLine).join(', ')}${more}`,
    longest === undefined ? '' : formatDuration(Math.max(0, now - longest.sinceAt)),
  ];
}

/** A limit as the API returns it, instants as ISO 8601. */
function limitJson({ name, slots, rate, changeable, held, waiting, holders, waiters }: LimitView): object {
  return toWire({
    name,
    slots,
    ...(rate === undefined ? {} : { rate }),
    changeable,
    held,
    waiting,
    holders: holders.map(holderOf),
    waiters: waiters.map(holderOf),
  });
}

function holderOf({ runId, runName, taskRunId, sinceAt, nextAt }: LimitHolder): LimitHolder {
  return { runId, runName, taskRunId, sinceAt, ...(nextAt === undefined ? {} : { nextAt }) };
}
