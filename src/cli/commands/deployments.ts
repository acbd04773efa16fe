/** `batuta deployment ls|inspect|versions`. */
import { forPeople } from '../../model/sensitive.ts';
import { durationWords } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import { declaredOf } from '../../client/declared-params.ts';
import { deployChanges, ruleText } from '../../client/deploy-changes.ts';
import type { DeployChange, DeploymentView, GraphChange } from '../../client/deployments-client.ts';
import { graphChange } from '../../client/graph-changes.ts';
import type { DeploymentVersion } from '../../model/deployment.ts';
import { shortIds } from '../../model/ids.ts';
import { rateText } from '../../model/rate.ts';
import type { ListedRun } from '../../model/run.ts';
import { describeSchedule } from '../../model/schedule/words.ts';
import type { Schedule } from '../../model/schedule/schedule.ts';
import { decodeValue } from '../../model/values.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson, printList } from '../print.ts';
import { given, readLimit } from '../read-options.ts';
import { startText } from '../../model/triggers/words.ts';
import { changeLine, deploymentJson, graphLines, nextTickOf, scheduleLines } from '../render/deployment.ts';
import { runListJson } from '../render/json.ts';
import { glyphOf, labelOf, type Paint } from '../render/shapes.ts';
import { type Column, factLines } from '../render/table.ts';
import { agoText, isoOrNull, localMinute } from '../render/times.ts';
import { valueLines } from '../render/value.ts';
import { oneLine } from '../render/width.ts';
import { firingLines, triggerLines, triggersJson, waitLines } from '../render/triggers.ts';

interface Options extends JsonOption {
  readonly flow?: string;
  readonly tag?: string;
  readonly search?: string;
  readonly paused?: boolean;
  readonly limit: string;
}

const columns: readonly Column[] = [
  { head: 'deployment', max: 40 },
  { head: 'flow', max: 32, drop: 2 },
  { head: 'schedule', max: 48, drop: 1 },
  { head: 'next tick' },
  { head: 'last run' },
];

/** Prints the deployments that match the filters. */
export async function listDeployments(context: CommandContext, options: Options): Promise<ExitStatus> {
  const { flow, tag, search, paused } = options;
  const limit = readLimit(options.limit);
  const filter = given({ flow, tag, search, paused });
  const { items, next } = await withClient(context, (client) => client.deployments.list({ ...filter, limit }));
  const isFiltered = Object.keys(filter).length > 0;
  return printList(context, items, options, {
    columns,
    cells: (view, paint) => cellsOf(view, context.clock.now(), paint),
    json: deploymentJson,
    empty: isFiltered
      ? 'No deployment fits these filters.'
      : `No deployments yet. Make one: ${programName()} deploy <flow> --cron "0 0 * * *"`,
    cut: next === null ? null : 'first',
  });
}

function cellsOf(view: DeploymentView, now: number, paint: Paint): string[] {
  const { name, flow, schedules, lastRun } = view;
  const [first] = schedules;
  const schedule =
    schedules.length > 1
      ? `${schedules.length} schedules`
      : first
        ? scheduleText(first.schedule)
        : oneLine(startText(view.triggers) ?? paint.dim('by hand'));
  const run =
    lastRun === null ? paint.dim('never') : `${glyphOf(lastRun.state, paint)} ${agoText(lastRun.startedAt ?? lastRun.createdAt, now)}`;
  return [paint.bold(name), oneLine(flow), schedule, tickText(view, now, paint), run];
}

/** An interval in few words: its anchor matters less in a list. */
function scheduleText(schedule: Schedule): string {
  return schedule.kind === 'interval' ? ruleText(schedule) : describeSchedule(schedule);
}

function tickText(view: DeploymentView, now: number, paint: Paint): string {
  const { schedules } = view;
  const isPaused = view.pausedAt !== null || (schedules.length > 0 && schedules.every(({ pausedAt }) => pausedAt !== null));
  if (isPaused) return paint.cyan('‖ paused');
  const next = nextTickOf(view);
  if (next === null) return schedules.length === 0 ? '' : paint.dim('none any more');
  return next < now ? paint.yellow(`overdue, ${agoText(next, now)}`) : agoText(next, now);
}

/** Number of newest runs shown, and of upcoming ticks in `--json`. */
const shownRuns = 5;
const shownTicks = 10;

/** Prints the deployment; with `--json` as in `deployment ls --json`, with `upcoming` (UTC instants), `waits` and `firings` of its triggers, and `runs`. */
export async function inspectDeployment(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { view, runs, upcoming, fired } = await withClient(context, async ({ deployments, runs: all }) => ({
    view: await deployments.get(name),
    runs: (await all.list({ deployment: name, limit: shownRuns })).items,
    upcoming: await deployments.upcoming({ deployment: name, limit: shownTicks }),
    fired: await deployments.triggers(name, { limit: shownRuns }),
  }));
  if (options.json) {
    const ticks = upcoming.map(({ schedule, at }) => ({ schedule, at: isoOrNull(at) }));
    return printJson(terminal, { ...deploymentJson(view), upcoming: ticks, ...triggersJson(fired), runs: runs.map(runListJson) });
  }
  const { out } = terminal;
  const { paint } = out;
  for (const line of headLines(view, clock.now(), paint)) out.line(line);
  section(
    context,
    'parameters',
    valueLines(decodeValue(forPeople(view.params)), { color: paint.isColorSupported, width: out.columns }).filter((line) => line !== '{}'),
  );
  section(
    context,
    'schedules',
    view.schedules.flatMap((schedule) => [
      ...scheduleLines(schedule, clock.now(), paint),
      ...(schedule.params === null
        ? []
        : valueLines(decodeValue(forPeople(schedule.params)), { color: paint.isColorSupported, width: out.columns }).map(
            (line) => `  ${line}`,
          )),
    ]),
  );
  section(context, 'triggers', [...triggerLines(view, paint), ...waitLines(fired, clock.now(), paint)]);
  section(context, 'newest firings', firingLines(fired.firings, clock.now(), paint));
  const ids = shortIds(runs.map(({ id }) => id));
  section(
    context,
    'newest runs',
    runs.map((run) => `${runLine(run, clock.now(), paint)}  ${paint.dim(ids.get(run.id) ?? run.id)}`),
  );
  return 0;
}

function headLines(view: DeploymentView, now: number, paint: Paint): string[] {
  const state = view.pausedAt === null ? paint.green('● active') : paint.cyan('‖ paused');
  const { concurrency } = view;
  const facts: (readonly [string, string | null])[] = [
    ['flow', `${oneLine(view.flow)}  ${paint.dim(`version ${view.flowVersion}`)}`],
    ['about', view.description === null ? null : oneLine(view.description)],
    [
      'version',
      `${view.version}, deployed ${agoText(view.updatedAt, now)}${{ config: ' from batuta.config.ts', code: ' by a program', command: '' }[view.origin]}`,
    ],
    ['paused', view.pausedAt === null ? null : `since ${localMinute(view.pausedAt)}`],
    ['queue', view.priority === 0 ? view.queue : `${view.queue}, priority ${view.priority}`],
    ['tags', view.tags.length === 0 ? null : view.tags.map(oneLine).join(', ')],
    [
      'limit',
      concurrency &&
        `${concurrency.limit} runs at a time${concurrency.key === null ? '' : ` for each ${concurrency.key}`} (${concurrency.onConflict})`,
    ],
    [
      'rate',
      view.rateLimit
        ? `${rateText(view.rateLimit.limit, view.rateLimit.perMs)}${view.rateLimit.key === null ? '' : ` for each ${view.rateLimit.key}`}`
        : null,
    ],
    ['fairness', view.fairness === undefined ? null : `turns by ${view.fairness}`],
    ['slots', view.slots === undefined || view.slots === 1 ? null : `${view.slots} places of a worker a run`],
    ['overlap', view.overlap],
    ['catchup', view.catchup === 'none' ? 'none' : `${view.catchup}, for ${durationWords(view.catchupWindowMs)}`],
    ['kept', view.retentionMs === null ? null : view.retentionMs === Number.MAX_SAFE_INTEGER ? 'forever' : durationWords(view.retentionMs)],
    ['source', view.source],
  ];
  return [`${state}  ${paint.bold(view.name)}`, ...factLines(facts, paint, 8)];
}

function runLine(run: ListedRun, now: number, paint: Paint): string {
  const tick = run.scheduledFor === null ? '' : `  ${paint.dim(`for ${isoOrNull(run.scheduledFor)?.slice(0, 16).replace('T', ' ')}Z`)}`;
  return `${labelOf(run.state, paint)}  ${oneLine(run.name)}  ${agoText(run.startedAt ?? run.createdAt, now)}${tick}`;
}

function section({ terminal: { out } }: CommandContext, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  out.line();
  out.line(out.paint.bold(title));
  for (const line of lines) out.line(`  ${line}`);
}

interface Difference {
  readonly changes: readonly DeployChange[];
  readonly graph: GraphChange | null;
}

/** Prints the versions, newest first; with `--json` an array of `{ version, flowVersion, at, changes, graph }`. */
export async function listVersions(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const versions = await withClient(context, ({ deployments }) => deployments.versions(name));
  const listed = versions.map((version, at) => ({ version, ...differenceOf(versions[at + 1], version) }));
  if (options.json) {
    return printJson(
      terminal,
      listed.map(({ version: { version, flowVersion, at }, changes, graph }) => ({
        version,
        flowVersion,
        at: isoOrNull(at),
        changes,
        graph,
      })),
    );
  }
  const { out } = terminal;
  const { paint } = out;
  for (const { version, changes, graph } of listed) {
    out.line(
      `${paint.bold(`version ${version.version}`)}  ${localMinute(version.at)}  ${paint.dim(`flow version ${version.flowVersion}`)}`,
    );
    for (const change of changes) out.line(`  ${changeLine(change, paint)}`);
    for (const line of graph ? graphLines(graph, paint) : []) out.line(`  ${line}`);
  }
  return 0;
}

/** Nothing for the first, and for one stored by another Batuta. A version does not keep where and by whom it was written. */
function differenceOf(before: DeploymentVersion | undefined, after: DeploymentVersion): Difference {
  const [was, is] = [before && declaredOf(before), declaredOf(after)];
  if (!before || !was || !is) return { changes: [], graph: null };
  const facts = { source: null, origin: '' };
  return {
    changes: deployChanges({ ...was, ...facts, flowVersion: before.flowVersion }, { ...is, ...facts, flowVersion: after.flowVersion }),
    graph: graphChange(before.graph, after.graph),
  };
}
