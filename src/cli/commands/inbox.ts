/** `batuta inbox ls|show|decide|link`: open questions of runs to people. */
import { type Duration, formatDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import type { InboxEntry } from '../../client/inbox-client.ts';
import { toWire } from '../../client/wire.ts';
import { shortId } from '../../model/ids.ts';
import { type InboxStatus, inboxStatuses } from '../../model/inbox.ts';
import type { InboxPageFilter } from '../../store/store.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printList } from '../print.ts';
import { readCount, usage } from '../read-options.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { localMinute } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface ListOptions extends JsonOption {
  readonly status: string;
  readonly flow?: string;
  readonly run?: string;
  readonly limit: string;
}

interface AnswerOptions extends JsonOption {
  readonly approve?: boolean;
  readonly reject?: boolean;
  readonly comment?: string;
  readonly data?: string;
}

const columns: readonly Column[] = [
  { head: 'id' },
  { head: 'decision', max: 60 },
  { head: 'flow', max: 30 },
  { head: 'run', max: 12 },
  { head: 'status', drop: 1 },
  { head: 'age', drop: 2 },
  { head: 'until' },
];

/** Prints inbox items, newest first. */
export async function listInbox(context: CommandContext, { status, flow, run, limit, ...options }: ListOptions): Promise<ExitStatus> {
  const filter: InboxPageFilter = {
    status: readStatus(status),
    limit: readCount('--limit', limit, { min: 1, max: 1_000 }),
    ...(flow === undefined ? {} : { flow }),
    ...(run === undefined ? {} : { runId: run }),
  };
  const { items, next } = await withClient(context, (client) => client.inbox.list(filter));
  const printed = printList(context, items, options, {
    columns,
    cells: (item, paint) => cellsOf(item, context.clock.now(), paint),
    json: (item) => toWire(item),
    empty: 'Nothing is to be decided. A flow asks by ctx.waitFor(name, { title }).',
  });
  if (!options.json && next !== null) context.terminal.err.line('There are more; --limit shows up to 1,000.');
  return printed;
}

/** Prints an item with the fields of its answer. */
export async function showInbox(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const item = await withClient(context, (client) => client.inbox.get(id));
  if (options.json) return printJson(context.terminal, toWire(item));
  for (const [name, value] of factsOf(item, context.clock.now())) context.terminal.out.line(`${name.padEnd(9)} ${oneLine(value)}`);
  return 0;
}

/** Decides an item. @throws BatutaError USAGE, DECISION_INVALID, DECISION_REFUSED, INBOX_ITEM_NOT_FOUND */
export async function decideInbox(context: CommandContext, id: string, options: AnswerOptions): Promise<ExitStatus> {
  const answer = readAnswer(options);
  const decided = await withClient(context, async (client) => {
    const item = await client.inbox.decide(id, answer);
    await noteLocally(client, 'inbox.decide', item.id, { run: item.runId, name: item.name, title: item.title });
    return item;
  });
  return printDone(
    context.terminal,
    options,
    toWire(decided),
    `Decided '${oneLine(decided.title)}' of ${oneLine(decided.runName)} (${shortId(decided.runId)}).`,
  );
}

/** Prints a link. @throws BatutaError USAGE, SECRET_KEY_MISSING, DECISION_INVALID, DECISION_REFUSED, DURATION_INVALID */
export async function linkInbox(
  context: CommandContext,
  id: string,
  options: AnswerOptions & { readonly for?: string; readonly expires: string },
): Promise<ExitStatus> {
  const answer = readAnswer(options);
  const wish = { expires: options.expires as Duration, ...(options.for === undefined ? {} : { for: options.for }) } as const;
  const url = await withClient(context, async (client) => {
    const made = await client.inbox.link(id, answer, wish);
    await noteLocally(client, 'inbox.link', (await client.inbox.get(id)).id, wish);
    return made;
  });
  return printDone(context.terminal, options, { url }, url);
}

function readAnswer({ approve = false, reject = false, comment, data }: AnswerOptions): unknown {
  if ([approve, reject, data !== undefined].filter(Boolean).length !== 1)
    throw usage('Say what is decided: --approve, --reject or --data JSON, one of them.');
  if (data === undefined) return { approved: approve, ...(comment === undefined ? {} : { comment }) };
  if (comment !== undefined) throw usage('--comment goes with --approve and --reject; put it into --data.');
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new BatutaError('USAGE', `--data is not JSON: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

function readStatus(text: string): InboxStatus | 'all' {
  const status = [...inboxStatuses, 'all' as const].find((one) => one === text);
  if (status !== undefined) return status;
  throw usage(`--status is one of ${inboxStatuses.join(', ')} and all, not '${text}'.`);
}

function cellsOf({ id, title, flow, runId, status, createdAt, dueAt }: InboxEntry, now: number, paint: Paint): string[] {
  const age = formatDuration(Math.max(0, now - createdAt));
  const shown = status === 'open' ? paint.yellow(status) : status;
  return [id, oneLine(title), oneLine(flow), shortId(runId), shown, age, dueAt === null ? '–' : localMinute(dueAt)];
}

function factsOf(item: InboxEntry, now: number): [string, string][] {
  const { id, title, description, flow, runId, runName, name, status, problem, dueAt, decidedBy, decidedVia, decidedAt, data, schema } =
    item;
  return [
    ['decision', title],
    ...(description === null ? [] : [['more', description] as [string, string]]),
    ['id', id],
    ['run', `${runName} (${runId}) of ${flow}, which waits for '${name}'`],
    ['status', `${status}, asked ${formatDuration(Math.max(0, now - item.createdAt))} ago`],
    ...(dueAt === null ? [] : [['until', localMinute(dueAt)] as [string, string]]),
    ...(problem === null ? [] : [['refused', `the last answer: ${problem}`] as [string, string]]),
    ...(decidedAt === null || decidedBy === null
      ? []
      : [
          ['decided', `by ${decidedBy} (${decidedVia ?? ''}) ${localMinute(decidedAt)}: ${JSON.stringify(data?.json ?? null)}`] as [
            string,
            string,
          ],
        ]),
    ...fieldsOf(schema),
  ];
}

/** A line per field of the form. */
function fieldsOf(schema: unknown): [string, string][] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    readonly properties?: Readonly<
      Record<string, { readonly type?: string; readonly enum?: readonly unknown[]; readonly description?: string }>
    >;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([field, { type, enum: values, description }]) => {
    const kind = values === undefined ? (type ?? 'any') : values.map((value) => JSON.stringify(value)).join(' | ');
    return ['field', `${field}${required.includes(field) ? '' : '?'}: ${kind}${description === undefined ? '' : `  ${description}`}`];
  });
}
