/** `batuta doctor`: checks what Batuta depends on, one line per check, with the remedy if something is wrong. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { LoadedConfig } from '../../base/config.ts';
import { formatDuration } from '../../base/duration.ts';
import { isBatutaError } from '../../base/errors.ts';
import { packageFolder } from '../../base/installed.ts';
import { programName } from '../../base/program-name.ts';
import { parsePlace } from '../../base/result-places.ts';
import type { Config } from '../../base/settings.ts';
import type { Store } from '../../store/store.ts';
import { checkHealth } from './doctor-health.ts';
import { checkReports } from './doctor-reports.ts';
import { lookAtSecrets } from './doctor-secrets.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { openSettings } from '../open.ts';
import { loadQuietly } from '../output-capture.ts';
import { printJson } from '../print.ts';
import { countOf } from '../render/bar.ts';
import { agoText } from '../render/times.ts';
import { oneLine, padEnd, widthOf } from '../render/width.ts';

const marks = { good: ['✓', 'green'], odd: ['△', 'yellow'], bad: ['✕', 'red'] } as const;

/** Prints every check. Status 1 if one is bad. With `--json` prints `{ ok, checks: [{ name, verdict, found, mend }] }`. */
export async function doctor(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const checks = await checkAll(context);
  const ok = checks.every(({ verdict }) => verdict !== 'bad');
  if (options.json) printJson(context.terminal, { ok, checks });
  else printChecks(context, checks);
  return ok ? 0 : 1;
}

function printChecks({ terminal: { out } }: CommandContext, checks: readonly Check[]): void {
  const cells = Math.max(...checks.map(({ name }) => widthOf(name)));
  for (const { name, verdict, found, mend } of checks) {
    const [glyph, hue] = marks[verdict];
    out.line(`${out.paint[hue](glyph)} ${padEnd(name, cells)}  ${oneLine(found)}`);
    if (mend !== null) out.line(`  ${' '.repeat(cells)}  ${out.paint.cyan('→')} ${oneLine(mend)}`);
  }
}

/** Result of one check. */
export interface Check {
  readonly name: string;
  /** `odd`: works, but is not as it should be. */
  readonly verdict: 'good' | 'odd' | 'bad';
  readonly found: string;
  /** What to do, null if all is well. */
  readonly mend: string | null;
}

/** A clock that reads earlier was never set. */
const oldestSaneNow = Date.UTC(2025, 0, 1);
const clockSlackMs = 60_000;

/** All checks, in the order in which to fix them. Without settings the rest cannot be checked. */
export async function checkAll(context: CommandContext): Promise<Check[]> {
  const node = checkNode();
  let settings: LoadedConfig;
  try {
    settings = await openSettings(context);
  } catch (error) {
    return [node, bad('settings', error, 'Correct the setting.')];
  }
  const store = await checkStore(context, settings.config);
  return [
    node,
    checkSettings(settings),
    ...store,
    checkPrivate(context, settings.config),
    ...(await checkBroker(settings.config)),
    ...(await checkReports(settings.config)),
    ...(store.some(({ verdict }) => verdict === 'bad') ? [] : await checkHealth(settings.config)),
    await checkFlows(context, settings.config),
  ];
}

function checkNode(): Check {
  const { engines } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  const nodeRange = engines.node;
  const [wantedMajor = 0, wantedMinor = 0] = nodeRange
    .replace(/[^\d.]/g, '')
    .split('.')
    .map(Number);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  return fits
    ? good('node', process.versions.node)
    : bad('node', `${process.versions.node}, but ${nodeRange} is needed`, 'Install a newer Node.');
}

function checkSettings({ sources, warnings }: LoadedConfig): Check {
  const [warning] = warnings;
  if (warning !== undefined) return odd('settings', warning, 'Correct or unset the variable.');
  const changed = Object.values(sources).filter((source) => source !== 'default').length;
  return good('settings', changed === 0 ? 'all at their defaults' : `${changed} set (${programName()} config shows which)`);
}

async function checkStore(context: CommandContext, config: Config): Promise<Check[]> {
  const { openStore } = await import('../../store/open.ts');
  const existed = sqlitePath(config) === null || existsSync(sqlitePath(config) ?? '');
  try {
    const store = await openStore({ url: config.databaseUrl, migrate: false });
    try {
      const { after, applied } = await store.migrate();
      const newest = (await store.runs.list({ limit: 1 })).items[0];
      const found = `${store.url}, schema version ${after}${existed ? (applied.length > 0 ? ', just brought up to date' : '') : ', just made'}`;
      return [
        good('database', found),
        ...(await checkPostgresServer(config)),
        checkWritable(config),
        checkClock(context, newest?.createdAt ?? null),
        ...(await checkSecrets(store, config)),
      ];
    } finally {
      await store.close();
    }
  } catch (error) {
    return [bad('database', error, mendOfStore(error, config))];
  }
}

async function checkSecrets(store: Store, config: Config): Promise<Check[]> {
  const look = await lookAtSecrets(store, config);
  if (look === null) return [];
  if (look.isGood) return [good('secrets', look.found)];
  return [bad('secrets', look.found, 'Set BATUTA_SECRET_KEY to the key it names, or list that in BATUTA_SECRET_KEY_OLD.')];
}

function mendOfStore(error: unknown, config: Config): string {
  const code = isBatutaError(error) ? error.code : '';
  if (code === 'STORE_READ_ONLY' && config.databaseUrl.startsWith('sqlite:')) return mendWritable;
  return mends[code] ?? 'Check BATUTA_DATABASE_URL and that the database runs.';
}

const mendWritable = 'Give this user the right to write the file and its folder.';
const mends: Readonly<Record<string, string>> = {
  PACKAGE_MISSING: 'Install the packages again, on this machine.',
  CONFIG_INVALID: 'Correct BATUTA_DATABASE_URL, or the database it names.',
  STORE_NEWER: 'Update Batuta here, or use another BATUTA_DATABASE_URL.',
  STORE_CORRUPT: 'Put a backup in its place, or move the file away to start over.',
  STORE_READ_ONLY: 'Give the role of BATUTA_DATABASE_URL that right.',
  STORE_FULL: `Make room on the disk; ${programName()} db prune deletes old runs.`,
};

/** Encoding, privileges, route and connections of a PostgreSQL server. */
async function checkPostgresServer(config: Config): Promise<Check[]> {
  const { lookAtDatabase } = await import('../../store/open.ts');
  const look = await lookAtDatabase(config.databaseUrl);
  if (look === null) return [];
  const { version, encoding, schema, mayCreate, isPooled, maxConnections } = look;
  const way = isPooled ? 'through a pooler, so nothing is prepared' : 'reached directly';
  const each = config.databaseConnections;
  const found = `version ${version}, ${encoding}, schema ${schema ?? '(none)'}, ${way}, up to ${each} connections a process of ${maxConnections}`;
  const mend =
    encoding !== 'UTF8'
      ? `Move Batuta to a database in UTF8: ${encoding} cannot hold every text.`
      : !mayCreate
        ? 'Grant the role CREATE on its schema, because a newer Batuta creates tables there.'
        : each * 2 > maxConnections && !isPooled
          ? 'Lower BATUTA_DATABASE_CONNECTIONS, or raise max_connections: two processes would use them all.'
          : null;
  return [{ name: 'postgres', verdict: mend === null ? 'good' : encoding === 'UTF8' ? 'odd' : 'bad', found, mend }];
}

/** What carries tickets between processes; nothing if SQLite's tables do. */
async function checkBroker({ redisUrl, brokerUrl, databaseUrl }: Config): Promise<Check[]> {
  if (redisUrl !== null) return [await checkRedisAt(redisUrl)];
  if (brokerUrl !== null) return [await checkPostgresBroker(brokerUrl)];
  if (databaseUrl.startsWith('sqlite:')) return [];
  const mend = 'Set BATUTA_REDIS_URL, or BATUTA_BROKER_URL to the address of the database.';
  return [bad('broker', 'nothing wakes workers; none starts on this database', mend)];
}

async function checkPostgresBroker(brokerUrl: string): Promise<Check> {
  try {
    const { checkPostgres } = await import('../../broker/open.ts');
    return good('broker', await checkPostgres(brokerUrl));
  } catch (error) {
    return bad(
      'broker',
      error,
      'Check BATUTA_BROKER_URL and that PostgreSQL runs. Runs are recorded all the same and start once it is back.',
    );
  }
}

async function checkRedisAt(redisUrl: string): Promise<Check> {
  try {
    const { checkRedis } = await import('../../broker/open.ts');
    const { url, version, evictionPolicy, latencyMs, warnings } = await checkRedis(redisUrl);
    const found = `${url}, version ${version}, maxmemory-policy ${evictionPolicy}, answers in ${formatDuration(latencyMs)}`;
    const [warning] = warnings;
    if (warning === undefined) return good('redis', found);
    const keepsAll = evictionPolicy === 'noeviction' || evictionPolicy === 'unknown';
    return (keepsAll ? odd : bad)('redis', found, warnings.join(' '));
  } catch (error) {
    return bad('redis', error, 'Check BATUTA_REDIS_URL and that Redis runs. Runs are recorded all the same and start once it is back.');
  }
}

function checkWritable(config: Config): Check {
  const path = sqlitePath(config);
  if (path === null) return good('writable', 'asked of the database when it is written');
  try {
    accessSync(path, constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return good('writable', dirname(path));
  } catch (error) {
    return bad('writable', error, mendWritable);
  }
}

/** Whether other users of this machine can read what Batuta stores or write what it runs. */
function checkPrivate({ terminal: { cwd } }: CommandContext, config: Config): Check {
  if (process.platform === 'win32') return good('private', 'not looked at on Windows');
  const database = sqlitePath(config);
  const place = parsePlace(config.results);
  const own = [database ?? resolve(cwd, '.batuta'), ...(place.kind === 'folder' ? [resolve(cwd, place.path)] : [])];
  const folder = database === null ? null : dirname(database);
  if (folder !== null && basename(folder) === '.batuta') own.push(folder);
  const cache = join(cwd, 'node_modules', '.cache', 'batuta');
  const isOpen = (path: string, rights: number): boolean => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & rights) !== 0;
  const open = [...own.filter((path) => isOpen(path, 0o077)), ...(isOpen(cache, 0o022) ? [cache] : [])];
  if (open.length === 0) return good('private', 'nobody else may read what is kept here, or write what is run');
  const found = `other users of this machine may read or write ${open.join(', ')}`;
  return odd('private', found, `chmod -R go-rwx ${open.map((path) => JSON.stringify(path)).join(' ')}`);
}

function checkClock({ clock }: CommandContext, newestAt: number | null): Check {
  const now = clock.now();
  const found = new Date(now).toISOString();
  if (now < oldestSaneNow) return bad('clock', `${found} lies in the past`, 'Set the clock of this machine.');
  if (newestAt !== null && newestAt > now + clockSlackMs) {
    const mend = 'Set the clock of this machine, or of the one that made the run.';
    return bad('clock', `${found}, but the newest run was made ${agoText(newestAt, now)}`, mend);
  }
  return good('clock', found);
}

async function checkFlows(context: CommandContext, config: Config): Promise<Check> {
  const where = config.flows.join(', ');
  try {
    const { loadFlows } = await import('../../define/load-flows.ts');
    const { flows, broken } = await loadQuietly(context, () => loadFlows(config.flows, { cwd: context.terminal.cwd }));
    const [first] = broken;
    const rest = broken.length > 1 ? ` (and ${countOf(broken.length - 1)} more)` : '';
    if (first)
      return bad('flows', `${first.error.code}: ${first.error.message}${rest}`, `Correct the file; ${programName()} flow ls names each.`);
    if (flows.length === 0) return odd('flows', `none in ${where}`, `${programName()} init makes one.`);
    return good('flows', `${countOf(flows.length)} in ${where}`);
  } catch (error) {
    if (isBatutaError(error, 'FILE_NOT_FOUND'))
      return odd('flows', `${where} does not exist`, `${programName()} init makes one, or set BATUTA_FLOWS.`);
    return bad('flows', error, `${programName()} flow ls names each.`);
  }
}

/** Path of a SQLite database; null for any other, and for one in memory. */
function sqlitePath({ databaseUrl }: Config): string | null {
  if (!databaseUrl.startsWith('sqlite:')) return null;
  const path = databaseUrl.slice('sqlite:'.length).replace(/\?.*$/, '');
  return path.startsWith(':') || path === '' ? null : resolve(path.replace(/^\/\/(?=\/)/, ''));
}

function good(name: string, found: string): Check {
  return { name, verdict: 'good', found, mend: null };
}

function odd(name: string, found: string, mend: string): Check {
  return { name, verdict: 'odd', found, mend };
}

/** @param error the error, or the finding as text */
function bad(name: string, error: unknown, mend: string): Check {
  const found = isBatutaError(error) ? `${error.code}: ${error.message}` : error instanceof Error ? error.message : String(error);
  return { name, verdict: 'bad', found, mend };
}
