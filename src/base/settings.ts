/** The table of settings: for each its name, its variable, its default, and how its text is read and shown. */
import { dirname, join } from 'node:path';
import { type BoundConfig, boundSettings } from './bound-settings.ts';
import type { Setting } from './setting.ts';
import {
  hide,
  hidePassword,
  readBoolean,
  readDuration,
  readOneOf,
  readPaths,
  readText,
  readUrl,
  readWhole,
  showMs,
} from './setting-values.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const logFormats = ['pretty', 'json'] as const;

/** Least that is logged; `silent` logs nothing. */
export type LogLevel = (typeof logLevels)[number];
/** `pretty` is for people, `json` one object a line. */
export type LogFormat = (typeof logFormats)[number];

/** Every setting with its value. Frozen; made once where a process is put together, its parts get a few values each. */
export interface Config extends BoundConfig {
  readonly databaseUrl: string;
  /** Most connections of a process to PostgreSQL. */
  readonly databaseConnections: number;
  /** Null: the local broker. */
  readonly redisUrl: string | null;
  /** What carries tickets where there is no Redis; null: the local broker. */
  readonly brokerUrl: string | null;
  /** Folders or files that hold flows. */
  readonly flows: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Key of the first admin of a server that others reach; null: those made by command serve. */
  readonly adminKey: string | null;
  /** Whether a proxy in front of the server tells who asks, and over what. */
  readonly trustProxy: boolean;
  /** Null: the command line opens the store itself. */
  readonly apiUrl: string | null;
  readonly apiKey: string | null;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** How many lost owners a run survives. */
  readonly maxRecoveries: number;
  /** Runs a worker owns at the same time. */
  readonly concurrency: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly captureConsole: boolean;
  /** Folder of results too large for a row. */
  readonly results: string;
  /** How long ended runs are kept; null for ever. */
  readonly retentionMs: number | null;
  /** File that a worker or scheduler renews as long as it works; null: none. */
  readonly healthFile: string | null;
}

/** Lowest lease that leaves room for a heartbeat to be late. */
export const minLeaseMs = 2_000;
const minHeartbeatMs = 100;
const maxConcurrency = 10_000;
const maxRecoveries = 1_000_000;
const dayMs = 86_400_000;

/** The settings, in the order in which they are printed. */
export const settings: { readonly [K in keyof Config]: Setting<Config[K]> } = {
  databaseUrl: {
    name: 'databaseUrl',
    env: 'BATUTA_DATABASE_URL',
    about: 'Where everything is recorded: `sqlite:<path>` or `postgres://…`',
    defaultText: 'sqlite:.batuta/batuta.db',
    defaultValue: () => 'sqlite:.batuta/batuta.db',
    read: readUrl(['sqlite:', 'postgres://', 'postgresql://']),
    show: hidePassword,
  },
  databaseConnections: {
    name: 'databaseConnections',
    env: 'BATUTA_DATABASE_CONNECTIONS',
    about: 'Most connections that a process holds to a PostgreSQL database, at least 3',
    defaultText: '13',
    defaultValue: () => 13,
    read: readWhole(3, 1_000),
    show: String,
  },
  redisUrl: {
    name: 'redisUrl',
    env: 'BATUTA_REDIS_URL',
    about: 'Redis that carries tickets between processes: `redis://…` or `rediss://…`; without it the local broker serves',
    defaultText: '(unset)',
    defaultValue: () => null,
    read: readUrl(['redis://', 'rediss://']),
    show: (value) => (value === null ? '' : hidePassword(value)),
  },
  brokerUrl: {
    name: 'brokerUrl',
    env: 'BATUTA_BROKER_URL',
    about: 'PostgreSQL that carries tickets where there is no Redis: `postgres://…`, which may be the database itself',
    defaultText: '(unset)',
    defaultValue: () => null,
    read: readUrl(['postgres://', 'postgresql://']),
    show: (value) => (value === null ? '' : hidePassword(value)),
  },
  flows: {
    name: 'flows',
    env: 'BATUTA_FLOWS',
    about: 'Folders or files that hold flows, separated by commas',
    defaultText: 'flows',
    defaultValue: () => ['flows'],
    read: readPaths,
    show: (value) => value.join(','),
  },
  host: {
    name: 'host',
    env: 'BATUTA_HOST',
    about: 'Address the server listens on',
    defaultText: '127.0.0.1',
    defaultValue: () => '127.0.0.1',
    read: readText,
    show: String,
  },
  port: {
    name: 'port',
    env: 'BATUTA_PORT',
    about: 'Port the server listens on; 0 takes a free one',
    defaultText: '4200',
    defaultValue: () => 4200,
    read: readWhole(0, 65_535),
    show: String,
  },
  adminKey: {
    name: 'adminKey',
    env: 'BATUTA_ADMIN_KEY',
    about: 'API key that the server makes an admin key of at its start, at least 32 random characters; for containers',
    defaultText: '(unset)',
    defaultValue: () => null,
    read: readText,
    show: hide,
  },
  trustProxy: {
    name: 'trustProxy',
    env: 'BATUTA_TRUST_PROXY',
    about: 'Whether the server believes the `X-Forwarded-…` headers of a proxy in front of it',
    defaultText: 'false',
    defaultValue: () => false,
    read: readBoolean,
    show: String,
  },
  apiUrl: {
    name: 'apiUrl',
    env: 'BATUTA_API_URL',
    about: 'Server the command line talks to; without it the command line opens the store itself',
    defaultText: '(unset)',
    defaultValue: () => null,
    read: readUrl(['http://', 'https://']),
    show: (value) => (value === null ? '' : hidePassword(value)),
  },
  apiKey: {
    name: 'apiKey',
    env: 'BATUTA_API_KEY',
    about: 'Key the command line shows to the server',
    defaultText: '(unset)',
    defaultValue: () => null,
    read: readText,
    show: hide,
  },
  leaseMs: {
    name: 'lease',
    env: 'BATUTA_LEASE',
    about: 'How long a process owns a run without a sign of life; at least 2 s',
    defaultText: '15s',
    defaultValue: () => 15_000,
    read: readDuration(minLeaseMs),
    show: showMs,
  },
  heartbeatMs: {
    name: 'heartbeat',
    env: 'BATUTA_HEARTBEAT',
    about: 'How often an owner renews its lease; shorter than the lease',
    defaultText: '5s',
    defaultValue: () => 5_000,
    read: readDuration(minHeartbeatMs),
    show: showMs,
  },
  maxRecoveries: {
    name: 'maxRecoveries',
    env: 'BATUTA_MAX_RECOVERIES',
    about: 'How often a run goes on after its process was lost; then it is Crashed',
    defaultText: '3',
    defaultValue: () => 3,
    read: readWhole(0, maxRecoveries),
    show: String,
  },
  concurrency: {
    name: 'concurrency',
    env: 'BATUTA_CONCURRENCY',
    about: 'Runs a worker owns at the same time',
    defaultText: '16',
    defaultValue: () => 16,
    read: readWhole(1, maxConcurrency),
    show: String,
  },
  logLevel: {
    name: 'logLevel',
    env: 'BATUTA_LOG_LEVEL',
    about: `Least that is logged: ${logLevels.join(', ')}`,
    defaultText: 'info',
    defaultValue: () => 'info',
    read: readOneOf(logLevels),
    show: String,
  },
  logFormat: {
    name: 'logFormat',
    env: 'BATUTA_LOG_FORMAT',
    about: 'How it is logged: `pretty` for people, `json` for machines',
    defaultText: 'pretty on a TTY, else json',
    defaultValue: ({ isTty }) => (isTty ? 'pretty' : 'json'),
    read: readOneOf(logFormats),
    show: String,
  },
  captureConsole: {
    name: 'captureConsole',
    env: 'BATUTA_CAPTURE_CONSOLE',
    about: 'Whether what a flow prints with `console` becomes log lines of its run',
    defaultText: 'true',
    defaultValue: () => true,
    read: readBoolean,
    show: String,
  },
  results: {
    name: 'results',
    env: 'BATUTA_RESULTS',
    about: 'Folder of results too large for a row of the database',
    defaultText: '`results` beside the database file, else .batuta/results',
    defaultValue: ({ databaseUrl }) => join(folderOf(databaseUrl), 'results'),
    read: readText,
    show: String,
  },
  retentionMs: {
    name: 'retention',
    env: 'BATUTA_RETENTION',
    about: 'How long ended runs are kept; `forever` keeps them all',
    defaultText: '30d',
    defaultValue: () => 30 * dayMs,
    read: (value) => (value === 'forever' ? null : readDuration(0)(value)),
    show: (value) => (value === null ? 'forever' : showMs(value)),
  },
  healthFile: {
    name: 'healthFile',
    env: 'BATUTA_HEALTH_FILE',
    about: 'File that one worker or scheduler renews as long as it works; `batuta health` reads it',
    defaultText: '(unset)',
    defaultValue: () => null,
    read: readText,
    show: (value) => value ?? '',
  },
  ...boundSettings,
};

function folderOf(databaseUrl: string): string {
  const path = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length).replace(/^\/\/(?=\/)|\?.*$/g, '') : '';
  return path === '' || path.startsWith(':') ? '.batuta' : dirname(path);
}
