/** `batuta alerts ls|inspect|resolve|silence|silences|unsilence`. */
import type { Duration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import type { Alert, AlertSilence, SentFiring } from '../../client/alerts-client.ts';
import { toWire } from '../../client/wire.ts';
import { shortId } from '../../model/ids.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printLines, printList } from '../print.ts';
import { given, readDuration, readLimit } from '../read-options.ts';
import type { Paint } from '../render/shapes.ts';
import { factLines } from '../render/table.ts';
import { agoText, localMinute } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface ListOptions extends JsonOption {
  readonly all?: boolean;
  readonly rule?: string;
  readonly limit: string;
}

interface SilenceOptions extends JsonOption {
  readonly for: string;
  readonly group?: string;
  readonly reason?: string;
}

/** Lists firing alerts, or all. */
export async function listAlerts(context: CommandContext, options: ListOptions): Promise<ExitStatus> {
  const filter = {
    ...given({ rule: options.rule, limit: readLimit(options.limit) }),
    ...(options.all ? {} : { states: ['firing'] as const }),
  };
  const { items, next } = await withClient(context, ({ alerts }) => alerts.list(filter));
  const now = context.clock.now();
  return printList(context, items, options, {
    columns: [
      { head: 'state' },
      { head: 'rule', max: 40 },
      { head: 'about', max: 40, drop: 1 },
      { head: 'times', align: 'right', drop: 4 },
      { head: 'last', drop: 3 },
      { head: 'id' },
      { head: 'found', max: 120, least: 20, drop: 2 },
    ],
    cells: (alert, paint) => [
      stateOf(alert, paint),
      paint.bold(alert.rule),
      oneLine(alert.group),
      String(alert.count),
      agoText(alert.lastAt, now),
      paint.dim(shortId(alert.id)),
      oneLine(alert.summary),
    ],
    json: (alert) => toWire(alert),
    empty: options.all
      ? `No alerts yet. Rules: ${programName()} alerts rules`
      : `Nothing fires. Those that are over: ${programName()} alerts ls --all`,
    cut: next === null ? null : 'newest',
  });
}

/** Shows one with all its notifications. */
export async function inspectAlert(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const alert = await withClient(context, ({ alerts }) => alerts.get(id));
  if (options.json) return printJson(context.terminal, toWire(alert));
  const { out } = context.terminal;
  const now = context.clock.now();
  const run = alert.runId === null ? null : `${oneLine(alert.runName ?? '')} ${alert.runId}`;
  printLines(out, [
    `${stateOf(alert, out.paint)} ${out.paint.bold(alert.rule)}${alert.group === '' ? '' : ` · ${oneLine(alert.group)}`}  ${out.paint.dim(alert.id)}`,
    ...factLines(
      [
        ['found', oneLine(alert.summary)],
        ['times', `${alert.count}, first ${agoText(alert.firstAt, now)}, last ${agoText(alert.lastAt, now)}`],
        ['run', run],
        [
          'over',
          alert.resolvedAt === null
            ? null
            : `${agoText(alert.resolvedAt, now)}${alert.resolvedBy === null ? '' : `, by ${oneLine(alert.resolvedBy)}`}`,
        ],
      ],
      out.paint,
      6,
    ),
    ...alert.firings.flatMap((firing) => firingLines(firing, now, out.paint)),
  ]);
  return 0;
}

/** A firing, and below it its deliveries with their responses. */
export function firingLines({ kind, at, silenced, deliveries }: SentFiring, now: number, paint: Paint): readonly string[] {
  const quiet = silenced ? ', silenced' : deliveries.length === 0 ? ', sent to nobody' : '';
  return [
    `${paint.bold(kind)} ${agoText(at, now)}${quiet}`,
    ...deliveries.map(({ receiver, state, attempts, answer, id }) => {
      const word = state === 'sent' ? paint.green('sent') : state === 'failed' ? paint.red('failed') : paint.yellow('pending');
      const tries = attempts > 1 ? `, attempt ${attempts}` : '';
      return `  ${word} ${oneLine(receiver)}${tries}${answer === null ? '' : `: ${oneLine(answer)}`}  ${paint.dim(id)}`;
    }),
  ];
}

/** Resolves one. */
export async function resolveAlert(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const alert = await withClient(context, async (client) => {
    const resolved = await client.alerts.resolve(id);
    await noteLocally(client, 'alerts.resolve', resolved.id, { rule: resolved.rule, group: resolved.group });
    return resolved;
  });
  const quiet = alert.state === 'muted' ? '; while it holds on it is quiet' : '';
  return printDone(
    context.terminal,
    options,
    toWire(alert),
    `Resolved ${alert.rule}${alert.group === '' ? '' : ` · ${oneLine(alert.group)}`}${quiet}.`,
  );
}

/** Silences alerts for a while. */
export async function silenceAlerts(context: CommandContext, rule: string | undefined, options: SilenceOptions): Promise<ExitStatus> {
  const { group, reason } = options;
  const spec = { for: readDuration('--for', options.for) as Duration, ...given({ rule, group, reason }) };
  const silence = await withClient(context, async (client) => {
    const made = await client.alerts.silence(spec);
    await noteLocally(client, 'alerts.silence', made.rule, { silence: made.id, group: made.group, reason: made.reason });
    return made;
  });
  return printDone(
    context.terminal,
    options,
    toWire(silence),
    `${meantBy(silence)} quiet until ${localMinute(silence.untilAt)}. To end it: ${programName()} alerts unsilence ${silence.id}`,
  );
}

/** Lists silences, earliest end first. */
export async function listSilences(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const items = await withClient(context, ({ alerts }) => alerts.silences());
  return printList(context, items, options, {
    columns: [
      { head: 'silence', max: 60 },
      { head: 'until' },
      { head: 'by', max: 30 },
      { head: 'reason', max: 60, drop: 1 },
      { head: 'id' },
    ],
    cells: (one, paint) => [
      paint.bold(`${one.rule ?? 'all rules'}${one.group === null ? '' : ` · ${oneLine(one.group)}`}`),
      localMinute(one.untilAt),
      oneLine(one.who),
      oneLine(one.reason ?? ''),
      paint.dim(one.id),
    ],
    json: (one) => toWire(one),
    empty: `Nothing is silenced. To do so: ${programName()} alerts silence RULE --for 2h`,
  });
}

/** Ends one. */
export async function endSilence(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  await withClient(context, async (client) => {
    await client.alerts.unsilence(id);
    await noteLocally(client, 'alerts.unsilence', id, null);
  });
  return printDone(context.terminal, options, [id], 'The silence is over.');
}

function meantBy({ rule, group }: AlertSilence): string {
  const what = rule === null ? 'All rules are' : `Rule ${rule} is`;
  return group === null ? what : `${what.replace(/ (is|are)$/, '')} · ${oneLine(group)} is`;
}

function stateOf({ state }: Alert, paint: Paint): string {
  return state === 'firing' ? paint.red('firing') : state === 'muted' ? paint.yellow('muted') : paint.green('resolved');
}
