/** The only file that reads the environment. Combines the settings: flag, then environment, then file, then default. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BatutaConfig, OwnHealthCheck } from './config-file.ts';
import { checkResolvers, readHealthChecks, readMiddleware } from './config-functions.ts';
import { BatutaError, isBatutaError } from './errors.ts';
import { nearestNames } from './nearest.ts';
import type { DefaultBasis, Setting } from './setting.ts';
import { type Config, settings } from './settings.ts';

/** Source of a value: `flag` · `env BATUTA_X` · `file batuta.config.ts` · `default`. */
export type ConfigSource = 'flag' | 'default' | `env BATUTA_${string}` | `file ${string}`;

/** A project's configuration file, read. */
export interface LoadedConfigFile {
  /** Name to show people, e.g. `batuta.config.ts`. */
  readonly name: string;
  readonly config: BatutaConfig;
}

export interface ConfigInput {
  /** Command-line values, by name of the `Config` field; undefined counts as not given. */
  readonly flags?: { readonly [K in keyof Config]?: unknown };
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Finds and loads `batuta.config.ts`; null if there is none. Passed in, as TypeScript is not loaded here. */
  readonly loadFile?: () => Promise<LoadedConfigFile | null>;
  /** Whether logs go to a terminal; default: whether standard error is one. */
  readonly isTty?: boolean;
}

/** The settings with the source of each. Frozen. */
export interface LoadedConfig {
  readonly config: Config;
  readonly sources: Readonly<Record<keyof Config, ConfigSource>>;
  /** The project's configuration file, null if there is none, and the deployments and alerts it declares, unchecked. */
  readonly file: ({ readonly name: string } & Required<Pick<BatutaConfig, 'deployments' | 'alerts'>>) | null;
  /** Sentences about oddities that are not errors, such as an unknown `BATUTA_` variable. */
  readonly warnings: readonly string[];
}

/** One setting as `batuta config` prints it; secrets are hidden. */
export interface SettingLine {
  readonly name: string;
  readonly env: string;
  /** Empty when unset. */
  readonly value: string;
  readonly source: ConfigSource;
}

/**
 * Adds the variables in a folder's `.env` file to this process's environment; existing ones stay. No effect without such a file. Read by
 * Node's own loader.
 *
 * @throws BatutaError CONFIG_INVALID if it is unreadable
 */
export function loadEnvFile(folder: string): void {
  const path = join(folder, '.env');
  if (!existsSync(path)) return;
  try {
    process.loadEnvFile(path);
  } catch (cause) {
    throw new BatutaError('CONFIG_INVALID', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      cause,
    });
  }
}

interface Found {
  readonly value: unknown;
  readonly source: ConfigSource;
}

const keys = Object.keys(settings) as readonly (keyof Config)[];

/**
 * Reads every setting.
 *
 * An empty environment variable counts as not set.
 *
 * @throws BatutaError CONFIG_INVALID naming the setting, the source of its value and what it must be; also for an unknown name in the file,
 * and for conflicting settings
 */
export async function loadConfig(input: ConfigInput = {}): Promise<LoadedConfig> {
  const env = input.env ?? process.env;
  const file = (await input.loadFile?.()) ?? null;
  const fromFile = file === null ? new Map<string, Found>() : readFile(file);

  const values: Partial<Record<keyof Config, unknown>> = {};
  const sources: Partial<Record<keyof Config, ConfigSource>> = {};
  for (const key of keys) {
    const setting: Setting<unknown> = settings[key];
    const found = findValue(key, input.flags ?? {}, env, fromFile);
    const basis = { databaseUrl: String(values.databaseUrl), isTty: input.isTty ?? Boolean(process.stderr.isTTY) };
    values[key] = found === null ? defaultOf(setting, basis) : readValue(setting, found);
    sources[key] = found?.source ?? 'default';
  }

  const loaded = { config: Object.freeze(values) as Config, sources: Object.freeze(sources) as LoadedConfig['sources'] };
  refuseWhatDoesNotFit(loaded.config, loaded.sources);
  if (file?.config.middleware !== undefined) middlewareOf.set(loaded.config, readMiddleware(file.name, file.config.middleware));
  if (file?.config.health !== undefined) healthOf.set(loaded.config, readHealthChecks(file.name, file.config.health));
  const declared = file && { name: file.name, deployments: file.config.deployments ?? [], alerts: file.config.alerts ?? [] };
  return Object.freeze({ ...loaded, file: declared, warnings: Object.freeze(findUnknownVariables(env)) });
}

/** Apart from settings, which are plain values. */
const middlewareOf = new WeakMap<Config, readonly unknown[]>();

/** The functions under `middleware` in the file of these settings; none without a file. */
export function configMiddleware(config: Config): readonly unknown[] {
  return middlewareOf.get(config) ?? [];
}

const healthOf = new WeakMap<Config, Readonly<Record<string, OwnHealthCheck>>>();

/** The checks under `health` in the file of these settings; none without a file. */
export function configHealth(config: Config): Readonly<Record<string, OwnHealthCheck>> {
  return healthOf.get(config) ?? {};
}

/** The same settings without the health file, which cannot represent several processes; with the file's other content. */
export function withoutHealthFile(config: Config): Config {
  const copy = Object.freeze({ ...config, healthFile: null });
  const [middleware, health] = [middlewareOf.get(config), healthOf.get(config)];
  if (middleware !== undefined) middlewareOf.set(copy, middleware);
  if (health !== undefined) healthOf.set(copy, health);
  return copy;
}

/** Every setting with its value and source, in table order, secrets hidden. */
export function describeConfig(loaded: LoadedConfig): readonly SettingLine[] {
  return keys.map((key) => {
    const setting: Setting<unknown> = settings[key];
    return { name: setting.name, env: setting.env, value: setting.show(loaded.config[key]), source: loaded.sources[key] };
  });
}

/** `auto` colours for people. */
export type ColorChoice = 'always' | 'never' | 'auto';

/**
 * Whether text is coloured: `NO_COLOR` with any value turns it off, `FORCE_COLOR` turns it on (or off with `0` or `false`), a `dumb`
 * terminal has none.
 *
 * Source: no-color.org, force-color.org.
 */
export function colorChoice(env: Readonly<Record<string, string | undefined>> = process.env): ColorChoice {
  if (env['NO_COLOR']) return 'never';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced === '0' || forced === 'false' ? 'never' : 'always';
  return env['TERM'] === 'dumb' ? 'never' : 'auto';
}

/** Whether the AWS SDK, which reads its own variables, is pointed at a custom server. */
export function hasS3Endpoint(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return Boolean(env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL']);
}

/** Value of an environment variable that holds a secret; undefined if it is not set. */
export function environmentVariable(name: string, env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  return env[name];
}
/** All variables as they are now. */
export const copyEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env });

function findValue(
  key: keyof Config,
  flags: NonNullable<ConfigInput['flags']>,
  env: Readonly<Record<string, string | undefined>>,
  fromFile: ReadonlyMap<string, Found>,
): Found | null {
  const { name, env: variable } = settings[key];
  if (flags[key] !== undefined) return { value: flags[key], source: 'flag' };
  const text = env[variable];
  if (text !== undefined && text.trim() !== '') return { value: text, source: `env ${variable}` };
  return fromFile.get(name) ?? null;
}

function readFile({ name: file, config }: LoadedConfigFile): ReadonlyMap<string, Found> {
  const source = `file ${file}` as const;
  if (!isRecord(config) || (config.defaults !== undefined && !isRecord(config.defaults))) {
    throw new BatutaError('CONFIG_INVALID', `${file} must export default an object, best made by defineConfig({ flows, defaults }).`);
  }
  const { defaults = {}, ...top } = config;
  refuseUnknown(file, Object.keys(top), ['flows', 'defaults', 'deployments', 'alerts', 'secrets', 'instantiate', 'middleware', 'health']);
  if (top.instantiate !== undefined && typeof top.instantiate !== 'function')
    throw new BatutaError('CONFIG_INVALID', `${file}: instantiate must be a function such as (cls) => container.get(cls).`);
  refuseUnlessList(file, 'deployments', top.deployments, "[{ flow: 'daily-sales', schedules: [{ cron: '@daily' }] }]");
  refuseUnlessList(file, 'alerts', top.alerts, "[{ name: 'failures', on: 'failed', send: { slack: 'ops' } }]");
  checkResolvers(file, top.secrets);
  const names = keys.map((key) => settings[key].name).filter((name) => name !== 'flows');
  refuseUnknown(`${file}, defaults`, Object.keys(defaults), names);
  const entries = Object.entries({ ...defaults, flows: top.flows }).filter(([, value]) => value !== undefined);
  return new Map(entries.map(([name, value]) => [name, { value, source }]));
}

function refuseUnlessList(file: string, name: string, value: unknown, such: string): void {
  if (value === undefined || Array.isArray(value)) return;
  throw new BatutaError('CONFIG_INVALID', `${file}: ${name} must be a list such as ${such}.`);
}

function refuseUnknown(where: string, given: readonly string[], known: readonly string[]): void {
  for (const name of given) {
    if (known.includes(name)) continue;
    const [nearest] = nearestNames(name, known);
    const hint = nearest === undefined ? `Known are ${known.join(', ')}.` : `Did you mean '${nearest}'?`;
    throw new BatutaError('CONFIG_INVALID', `${where}: '${name}' is no setting. ${hint}`, { details: { setting: name } });
  }
}

function defaultOf(setting: Setting<unknown>, basis: DefaultBasis): unknown {
  const value = setting.defaultValue(basis);
  return Array.isArray(value) ? Object.freeze(value) : value;
}

function readValue(setting: Setting<unknown>, { value, source }: Found): unknown {
  try {
    return setting.read(value);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    // Even an unparsable URL may contain a password, so none is shown.
    const isSecret = /Key(?:Old)?$|Url$/.test(setting.name);
    const shown = isSecret ? '' : ` is ${JSON.stringify(value) ?? String(value)} but`;
    const must = isBatutaError(cause, 'DURATION_INVALID') ? 'must be a duration such as 15s, 5m or 2 days' : cause.message;
    throw new BatutaError('CONFIG_INVALID', `${nameOf(setting, source)}${shown} ${must}.`, {
      cause,
      details: { setting: setting.name, source },
    });
  }
}

function nameOf(setting: Setting<unknown>, source: ConfigSource): string {
  if (source.startsWith('env ')) return setting.env;
  return source === 'flag' ? `The flag for ${setting.name}` : `${setting.name} (${source})`;
}

function refuseWhatDoesNotFit(config: Config, sources: LoadedConfig['sources']): void {
  const { leaseMs, heartbeatMs, headersTimeoutMs, requestTimeoutMs } = settings;
  if (config.headersTimeoutMs > config.requestTimeoutMs)
    throw new BatutaError(
      'CONFIG_INVALID',
      `The time for the head of a request (${headersTimeoutMs.show(config.headersTimeoutMs)}, ${sources.headersTimeoutMs}) must not be longer than that for ` +
        `all of it (${requestTimeoutMs.show(config.requestTimeoutMs)}, ${sources.requestTimeoutMs}). Set ${headersTimeoutMs.env} or ${requestTimeoutMs.env}.`,
      { details: { headersTimeoutMs: config.headersTimeoutMs, requestTimeoutMs: config.requestTimeoutMs } },
    );
  if (config.heartbeatMs < config.leaseMs) return;
  throw new BatutaError(
    'CONFIG_INVALID',
    `The heartbeat (${heartbeatMs.show(config.heartbeatMs)}, ${sources.heartbeatMs}) must be shorter than the lease (${leaseMs.show(config.leaseMs)}, ` +
      `${sources.leaseMs}), best a third of it. Set ${heartbeatMs.env} or ${leaseMs.env}.`,
    { details: { heartbeatMs: config.heartbeatMs, leaseMs: config.leaseMs } },
  );
}

function findUnknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known: readonly string[] = keys.map((key) => settings[key].env);
  return Object.keys(env)
    .filter((name) => name.startsWith('BATUTA_') && !known.includes(name))
    .sort()
    .map((name) => {
      const [nearest] = nearestNames(name, known);
      return `The environment variable ${name} is no setting and is not used.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`;
    });
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
