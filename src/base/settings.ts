/** The table of settings: for each its name, its kind, its default and what it is for. */
import { availableParallelism } from 'node:os';
import { defaultResultsFolder, resultPlace, resultPlaces } from './result-places.ts';
import { type Setting, setting } from './setting.ts';
import { basePath, boolean, bytes, duration, hosts, link, oneOf, optional, paths, secret, text, url, whole } from './setting-values.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const logFormats = ['pretty', 'json'] as const;

/** Lowest level; `silent` logs nothing. */
export type LogLevel = (typeof logLevels)[number];
/** `pretty`: for people; `json`: one object a line. */
export type LogFormat = (typeof logFormats)[number];

/** Shortest lease that allows a late heartbeat. */
export const minLeaseMs = 2_000;
const dayMs = 86_400_000;
const kib = 1024;
const mib = 1024 * kib;

/** The settings, in print order. */
export const settings = {
  databaseUrl: setting(
    'databaseUrl',
    url('sqlite:', 'postgres://', 'postgresql://'),
    'sqlite:.batuta/batuta.db',
    'Where everything is recorded: `sqlite:<path>` or `postgres://…`',
  ),
  databaseConnections: setting(
    'databaseConnections',
    whole(3, 1_000),
    13,
    'Most connections that a process holds to a PostgreSQL database, at least 3',
  ),
  redisUrl: setting(
    'redisUrl',
    optional(url('redis://', 'rediss://')),
    null,
    'Redis that carries tickets between processes: `redis://…` or `rediss://…`; without it the local broker serves',
  ),
  brokerUrl: setting(
    'brokerUrl',
    optional(url('postgres://', 'postgresql://')),
    null,
    'PostgreSQL that carries tickets where there is no Redis: `postgres://…`, which may be the database itself',
  ),
  brokerConnections: setting(
    'brokerConnections',
    whole(2, 1_000),
    8,
    'Most connections over which a process puts and takes tickets in PostgreSQL, at least 2',
  ),
  flows: setting('flows', paths, ['flows'], 'Folders or files that hold flows, separated by commas'),
  host: setting('host', text, '127.0.0.1', 'Address the server listens on'),
  port: setting('port', whole(0, 65_535), 4200, 'Port the server listens on; 0 takes a free one'),
  /** Empty, or a path with a leading but no trailing slash. */
  basePath: {
    ...setting(
      'basePath',
      basePath,
      '',
      'Path below which the server has the dashboard and the API, such as `/batuta`; a proxy may strip it or not',
    ),
    defaultText: '(unset)',
  },
  /** Null: those made by a command. */
  adminKey: setting(
    'adminKey',
    optional(secret),
    null,
    'API key registered as an admin key when the server starts, at least 32 random characters; for containers',
  ),
  trustProxy: setting('trustProxy', boolean, false, 'Whether the server believes the `X-Forwarded-…` headers of a proxy in front of it'),
  /** Null: where it listens, `http://host:port` with base path. */
  publicUrl: setting(
    'publicUrl',
    optional(url('http://', 'https://')),
    null,
    'Address of the server as people reach it, with the path below which it is; in links that are sent to them. Unset: where it listens',
  ),
  apiUrl: setting(
    'apiUrl',
    optional(url('http://', 'https://')),
    null,
    'Server the command line talks to; without it the command line opens the store itself',
  ),
  apiKey: setting('apiKey', optional(secret), null, 'Key the command line shows to the server'),
  reportUrl: setting(
    'reportUrl',
    optional(url('http://', 'https://')),
    null,
    'Server that runs of the embedded store are reported to, as they happen; without it nothing is reported',
  ),
  reportKey: setting('reportKey', optional(secret), null, 'Key that is shown to that server, of the role reporter'),
  reportName: setting(
    'reportName',
    optional(text),
    null,
    'Name under which this program reports; unset, that of its package.json, or of its folder',
  ),
  reportVersion: setting('reportVersion', optional(text), null, 'Version under which it reports; unset, that of its package.json, or `0`'),
  reportBufferBytes: setting(
    'reportBuffer',
    bytes(mib, 64 * 1024 * mib),
    256 * mib,
    'Most that waits on disk to be reported; beyond it the oldest log lines are left out first, runs and their states never',
  ),
  reportFlushMs: setting(
    'reportFlush',
    duration(0),
    5_000,
    'How long a process that ends waits until what is left to be reported has been sent; the rest follows with the next one',
  ),
  secretKey: setting(
    'secretKey',
    optional(secret),
    null,
    'Key that stored secrets are encrypted with: 32 bytes as hexadecimal or base64, or a passphrase of 16 characters and more',
  ),
  secretKeyOld: setting(
    'secretKeyOld',
    optional(secret),
    null,
    'Earlier keys, separated by commas, while `batuta secret rotate` has not moved all secrets to the new one',
  ),
  payloadKey: setting(
    'payloadKey',
    optional(secret),
    null,
    'Key that parameters, results and other values of flows are encrypted with at rest, in the same forms; unset, they are in clear',
  ),
  payloadKeyOld: setting(
    'payloadKeyOld',
    optional(secret),
    null,
    'Earlier keys of values, separated by commas, for those that were recorded with them',
  ),
  leaseMs: setting('lease', duration(minLeaseMs), 15_000, 'How long a process owns a run without a sign of life; at least 2 s'),
  heartbeatMs: setting('heartbeat', duration(100), 5_000, 'How often an owner renews its lease; shorter than the lease'),
  maxRecoveries: setting(
    'maxRecoveries',
    whole(0, 1_000_000),
    3,
    'How often a run continues after its process was lost; then it is Crashed',
  ),
  concurrency: setting('concurrency', whole(1, 10_000), 16, 'Runs a worker owns at the same time'),
  threads: setting(
    'threads',
    whole(1, 1_000),
    { words: 'one a processor', from: () => availableParallelism() },
    "Threads of a process that execute tasks with `isolate: 'thread'` at the same time",
  ),
  processes: setting(
    'processes',
    whole(1, 1_000),
    { words: 'one a processor', from: () => availableParallelism() },
    "Processes beside it that execute tasks with `isolate: 'process'` at the same time",
  ),
  logLevel: setting('logLevel', oneOf(logLevels), 'info', `Least that is logged: ${logLevels.join(', ')}`),
  logFormat: setting(
    'logFormat',
    oneOf(logFormats),
    { words: 'pretty on a TTY, else json', from: ({ isTty }) => (isTty ? 'pretty' : 'json') },
    'How it is logged: `pretty` for people, `json` for machines',
  ),
  captureConsole: setting('captureConsole', boolean, true, 'Whether what a flow prints with `console` becomes log lines of its run'),
  results: setting(
    'results',
    resultPlace,
    {
      words: '`store` with PostgreSQL, else `results` next to the database file (.batuta/results)',
      from: ({ databaseUrl }) => (databaseUrl.startsWith('sqlite:') ? defaultResultsFolder(databaseUrl) : 'store'),
    },
    'Where results over 256 KiB are kept: `store` (pieces in the database), a folder, or `s3://bucket/prefix`',
  ),
  formerResults: setting(
    'formerResults',
    resultPlaces,
    [],
    'Places where results were kept before, separated by commas; they are still read, and cleared with their runs',
  ),
  smtpUrl: setting(
    'smtpUrl',
    optional(url('smtp://', 'smtps://')),
    null,
    'Mail server that schedulers send alerts by, `smtp://user:password@host:587` or `smtps://…`; unset, no alert is sent by e-mail',
  ),
  smtpFrom: setting('smtpFrom', optional(text), null, 'Address that alerts are sent from; unset, `batuta@` and the name of the host'),
  alertHosts: setting(
    'alertHosts',
    hosts,
    [],
    'Hosts of private networks that alerts may be sent to, separated by commas: names, addresses, ranges such as `10.1.0.0/16`, or `*` for all',
  ),
  /** Null: forever. */
  retentionMs: setting(
    'retention',
    {
      read: (value) => (value === 'forever' ? null : duration(0).read(value)),
      show: (value: number | null) => (value === null ? 'forever' : duration(0).show(value)),
    },
    30 * dayMs,
    'How long ended runs are kept; `forever` keeps them all',
  ),
  healthFile: setting(
    'healthFile',
    optional(text),
    null,
    'File that one worker or scheduler renews as long as it works; `batuta health` reads it',
  ),
  metricsPort: setting(
    'metricsPort',
    optional(whole(0, 65_535)),
    null,
    'Port on which a worker or a scheduler serves its metrics and health; 0 takes a free one. Unset, it measures nothing',
  ),
  metricsHost: setting('metricsHost', text, '127.0.0.1', 'Address of that port; on any but this computer alone an API key is asked for'),
  metricsLabelValues: setting(
    'metricsLabelValues',
    whole(1, 100_000),
    200,
    'Values of one label that metrics tell apart; further ones count as `other`',
  ),
  traceUrl: setting('traceUrl', optional(link('traceId')), null, 'Address of a trace where people look at them, with `{traceId}` in it'),
  /** Null: nowhere. */
  metricsPushUrl: setting(
    'metricsPushUrl',
    optional(url('http://', 'https://')),
    null,
    'Push gateway of Prometheus that `batuta run` sends the metrics of its run to, once that has ended',
  ),
  maxLogLineBytes: setting(
    'maxLogLine',
    bytes(kib, 256 * kib),
    64 * kib,
    'Longest message of a log line, and longest fields, that are kept with a run; the rest is cut, and the line says how much',
  ),
  maxRunLogBytes: setting(
    'maxRunLog',
    bytes(kib, 64 * 1024 * mib),
    256 * mib,
    'Log lines and artifacts of one run that a process keeps; what comes after is left out, and a line says how much',
  ),
  /** Of its JSON. */
  maxArtifactBytes: setting(
    'maxArtifact',
    bytes(kib, 64 * mib),
    4 * mib,
    'Largest artifact, as JSON; of a larger one the beginning is kept, and it says how much was cut',
  ),
  maxArtifactFileBytes: setting(
    'maxArtifactFile',
    bytes(kib, 1024 * 1024 * mib),
    2 * 1024 * mib,
    'Largest file that a task keeps as an artifact',
  ),
  maxArtifactImageBytes: setting('maxArtifactImage', bytes(kib, 256 * mib), 20 * mib, 'Largest image that a task keeps as an artifact'),
  maxChartPoints: setting(
    'maxChartPoints',
    whole(1, 1_000_000),
    20_000,
    'Points of a chart, over all its series, that a task may keep as an artifact',
  ),
  /** Of its text, as results are stored. */
  maxStreamValueBytes: setting('maxStreamValue', bytes(kib, 256 * mib), 16 * mib, 'Largest value that a run emits with `ctx.emit`'),
  /** 64 bytes each besides the text. */
  maxRunStreamsBytes: setting('maxRunStreams', bytes(kib, 64 * 1024 * mib), 256 * mib, 'All values that a run emits with `ctx.emit`'),
  maxBodyBytes: setting('maxBody', bytes(kib, 64 * mib), mib, 'Largest body of a request to the server'),
  maxBulkBodyBytes: setting('maxBulkBody', bytes(kib, 256 * mib), 16 * mib, 'Largest body of a request that submits many runs'),
  headersTimeoutMs: setting('headersTimeout', duration(100), 15_000, 'How long the head of a request to the server may take to arrive'),
  requestTimeoutMs: setting(
    'requestTimeout',
    duration(100),
    60_000,
    'How long a whole request to the server may take to arrive, with its body; at least `headersTimeout`',
  ),
};

/** Every setting with its value. Frozen; made once per process, whose parts get a few values each. */
export type Config = { readonly [K in keyof typeof settings]: (typeof settings)[K] extends Setting<infer T> ? T : never };
