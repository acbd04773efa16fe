/** `batuta deploy`: gives a flow a schedule. */
import { isAbsolute, relative, resolve } from 'node:path';
import type { LoadedConfig } from '../../base/config.ts';
import type { DeploymentSpec, DeployReport, ScheduleSpec } from '../../client/deployments-client.ts';
import type { Duration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import { catchupPolicies, overlapPolicies } from '../../model/deployment.ts';
import { maxStarts } from '../../model/rate.ts';
import { maxSlots } from '../../model/slots.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { openSettings, withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { given, readCount, readDuration, readPriority, readWord, usage } from '../read-options.ts';
import { flowWithParams, readParams } from '../read-params.ts';
import { countLine, deployLines, reportJson } from '../render/deployment.ts';
import { putDeclaredAlerts, readDeclaredAlerts } from '../put-alerts.ts';
import { readDeclared } from '../read-declared.ts';
import { readTriggers, type TriggerOptions } from '../read-triggers.ts';

export interface DeployOptions extends TriggerOptions {
  readonly cron: readonly string[];
  readonly interval: readonly string[];
  readonly rrule: readonly string[];
  readonly timezone?: string;
  readonly anchor?: string;
  readonly start?: string;
  readonly end?: string;
  readonly jitter?: string;
  readonly name?: string;
  readonly params?: string;
  readonly param: readonly string[];
  readonly tag: readonly string[];
  readonly queue?: string;
  readonly priority?: string;
  readonly catchup?: string;
  readonly catchupWindow?: string;
  readonly overlap?: string;
  readonly concurrency?: string;
  readonly rateLimit?: string;
  readonly slots?: string;
  readonly fairness?: string;
  readonly retention?: string;
  readonly paused?: boolean;
  readonly description?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly json?: boolean;
}

/**
 * Deploys one flow as the options say, or with `--all` what the configuration file declares. Prints what changed and when it runs; with
 * `--json` the deployment with `outcome`, `changes`, `graph` and `touched` (with `--all` an array of them).
 */
export async function deploy(context: CommandContext, target: string | undefined, options: DeployOptions): Promise<ExitStatus> {
  return options.all ? await deployAll(context, target, options) : await deployOne(context, target, options);
}

async function deployOne(context: CommandContext, target: string | undefined, options: DeployOptions): Promise<ExitStatus> {
  if (target === undefined)
    throw usage(`Which flow? Write for example: ${programName()} deploy daily-sales --cron "0 0 * * *", or ${programName()} deploy --all.`);
  if (options.prune) throw usage('--prune goes with --all: it deletes what batuta.config.ts no longer declares.');
  const schedules = readSchedules(options);
  const on = readTriggers(options);
  const given = await readParams(options.params, options.param, context.terminal.cwd);
  const rest = readRest(options);
  const settings = await openSettings(context);
  const { flow, params } = await flowWithParams(context, settings, target, given);
  const spec: DeploymentSpec = {
    flow,
    ...rest,
    schedules,
    ...(on.length === 0 ? {} : { on }),
    ...(params === undefined ? {} : { params }),
  };
  const dryRun = options.dryRun === true;
  const [report] = await withClient(context, (client) => client.deployments.deploy([spec], { dryRun }));
  if (!report) return 1;
  warnUnlessFound(context, settings, flow);
  if (options.json) return printJson(context.terminal, reportJson(report));
  print(context, [report], dryRun, options.paused === true);
  return 0;
}

/** Workers look for flows where the settings say: one deployed by its file may be elsewhere. */
function warnUnlessFound({ terminal: { cwd, err } }: CommandContext, settings: LoadedConfig, flow: FlowDefinition | string): void {
  const file = typeof flow === 'string' ? undefined : flow.source?.file;
  if (typeof flow === 'string' || file === undefined) return;
  const places = [settings.config.flows].flat();
  const isInside = (place: string): boolean => {
    const path = relative(resolve(cwd, place), file);
    return path === '' || !(path.startsWith('..') || isAbsolute(path));
  };
  if (places.some(isInside)) return;
  const shown = relative(cwd, file);
  err.line(
    `${err.paint.yellow('warning')} No worker started here finds flow ${flow.name}: ${shown} is outside ${places.join(', ')} (BATUTA_FLOWS). ` +
      `Move it there, or start workers with --flows ${shown}.`,
  );
}

async function deployAll(context: CommandContext, target: string | undefined, options: DeployOptions): Promise<ExitStatus> {
  const { terminal } = context;
  if (target !== undefined) throw usage(`--all deploys what batuta.config.ts declares; leave '${target}' out, or --all.`);
  const extra = Object.entries(options).find(
    ([name, value]) =>
      !['all', 'dryRun', 'prune', 'json'].includes(name) && value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  if (extra)
    throw usage(
      `--${extra[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go with --all; write it into batuta.config.ts.`,
    );
  const settings = await openSettings(context);
  const specs = await readDeclared(context, settings);
  const alerts = readDeclaredAlerts(settings);
  const [dryRun, prune] = [options.dryRun === true, options.prune === true];
  await withClient(context, async (client) => {
    const reports = await client.deployments.deploy(specs, { origin: 'config', dryRun, prune });
    // Deployments are reported even if the alerts fail.
    if (options.json) printJson(terminal, reports.map(reportJson));
    else print(context, reports, dryRun, false);
    const rules = await putDeclaredAlerts(client, alerts, { dryRun, prune });
    if (options.json) return;
    for (const { name, outcome } of rules) if (outcome !== 'unchanged') terminal.out.line(`alert ${name}: ${outcome}`);
    terminal.err.line(countLine(reports, dryRun));
  });
  return 0;
}

function print(
  { terminal: { out, err }, clock }: CommandContext,
  reports: readonly DeployReport[],
  dryRun: boolean,
  wantsPause: boolean,
): void {
  const single = reports.length === 1;
  for (const report of reports) {
    const ticks = single || report.outcome === 'created';
    for (const line of deployLines(report, clock.now(), out.paint, { ticks })) out.line(line);
  }
  const [first] = reports;
  if (!single || !first) return;
  if (wantsPause && first.deployment.pausedAt === null && !dryRun)
    err.line(
      err.paint.yellow(
        `It was deployed before and is not paused; --paused is for new ones. To pause it: ${programName()} deployment pause ${first.deployment.name}`,
      ),
    );
  if (dryRun) err.line(err.paint.dim('Nothing was written (--dry-run).'));
  else if (first.deployment.pausedAt !== null)
    err.line(err.paint.dim(`To start it: ${programName()} deployment resume ${first.deployment.name}`));
  else if (first.outcome === 'created' && first.deployment.schedules.length === 0 && first.deployment.triggers === undefined)
    err.line(err.paint.dim(`It has no schedule and no trigger. To run it: ${programName()} deployment run ${first.deployment.name}`));
  else if (first.outcome === 'created')
    err.line(err.paint.dim(`It runs while a scheduler and a worker are up: ${programName()} scheduler, ${programName()} worker`));
}

/** One kind may be repeated; two kinds may not be combined. */
function readSchedules(options: DeployOptions): ScheduleSpec[] {
  const kinds = (['cron', 'interval', 'rrule'] as const).filter((kind) => options[kind].length > 0);
  if (kinds.length > 1) throw usage(`Give one of --cron, --interval and --rrule, not ${kinds.map((kind) => `--${kind}`).join(' and ')}.`);
  const [kind] = kinds;
  const { timezone, anchor, start, end, jitter } = options;
  const shared = { timezone, anchor, start, end };
  const lone = Object.entries({ ...shared, jitter }).find(([, value]) => value !== undefined);
  if (kind === undefined) {
    if (lone) throw usage(`--${lone[0]} has no effect without --cron, --interval or --rrule.`);
    return [];
  }
  const jitterMs = jitter === undefined ? {} : { jitter: readDuration('--jitter', jitter) as Duration };
  return options[kind].map((rule) => ({ [kind]: rule, ...shared, ...jitterMs }));
}

/** `100/1m`. @throws BatutaError USAGE */
function readRate(text: string): NonNullable<DeploymentSpec['rateLimit']> {
  const [, limit, per] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (limit === undefined || per === undefined) throw usage(`--rate-limit must be like 100/1m, not '${text}'.`);
  return { limit: readCount('--rate-limit', limit, { min: 1, max: maxStarts }), per: readDuration('--rate-limit', per) };
}

function readRest(options: DeployOptions): Omit<DeploymentSpec, 'flow' | 'params' | 'schedules'> {
  const { name, queue, description, catchup, catchupWindow, overlap, concurrency, rateLimit, slots, fairness, retention, tag } = options;
  return given({
    ...{ name, queue, description, fairness, priority: readPriority(options.priority), paused: options.paused || undefined },
    tags: tag.length === 0 ? undefined : tag,
    catchup: catchup === undefined ? undefined : readWord('--catchup', catchup, catchupPolicies),
    catchupWindow: catchupWindow === undefined ? undefined : readDuration('--catchup-window', catchupWindow),
    overlap: overlap === undefined ? undefined : readWord('--overlap', overlap, overlapPolicies),
    concurrency: concurrency === undefined ? undefined : readCount('--concurrency', concurrency, { min: 1, max: 1_000_000 }),
    rateLimit: rateLimit === undefined ? undefined : readRate(rateLimit),
    slots: slots === undefined ? undefined : readCount('--slots', slots, { min: 1, max: maxSlots }),
    retention:
      retention === undefined ? undefined : retention === 'forever' ? ('forever' as const) : readDuration('--retention', retention),
  });
}
