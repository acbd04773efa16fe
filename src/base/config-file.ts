/** Content of a project's `batuta.config.ts`. */
import type { Duration } from './duration.ts';
import type { LogFormat, LogLevel } from './settings.ts';

/** Settings of a project; flags and environment variables still win. Secrets belong in the environment. */
export interface ConfigDefaults {
  /** `sqlite:<path>` or `postgres://…`; default `sqlite:.batuta/batuta.db`. */
  readonly databaseUrl?: string;
  /** `redis://…` or `rediss://…`; default none, which means the local broker. */
  readonly redisUrl?: string;
  /** `postgres://…`; carries tickets if there is no Redis. */
  readonly brokerUrl?: string;
  readonly host?: string;
  readonly port?: number;
  /** Base path of the server's dashboard and API, e.g. `/batuta`; default none. */
  readonly basePath?: string;
  readonly trustProxy?: boolean;
  readonly publicUrl?: string;
  readonly apiUrl?: string;
  readonly lease?: Duration;
  readonly heartbeat?: Duration;
  readonly concurrency?: number;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
  readonly captureConsole?: boolean;
  /** `store`, a folder, or `s3://bucket/prefix`. */
  readonly results?: string;
  /** Earlier places of results. */
  readonly formerResults?: readonly string[];
  /** `smtp://user:password@host:587` or `smtps://…`; a password belongs in the environment. */
  readonly smtpUrl?: string;
  readonly smtpFrom?: string;
  /** Hosts in private networks that alerts may be sent to. */
  readonly alertHosts?: readonly string[];
  /** `'forever'` keeps everything. */
  readonly retention?: Duration | 'forever';
  /** Most connections of a process to a PostgreSQL database; default 13, at least 3. */
  readonly databaseConnections?: number;
  /** How often a run may lose its process and continue; default 3. */
  readonly maxRecoveries?: number;
  /** File that one worker or scheduler updates while it works. */
  readonly healthFile?: string;
  /** Port on which a worker or scheduler serves metrics and health; default none. */
  readonly metricsPort?: number;
  /** Default `127.0.0.1`. */
  readonly metricsHost?: string;
  /** Most values per label in metrics; default 200. */
  readonly metricsLabelValues?: number;
  /** Sizes are a number of bytes, or text such as `'64KiB'`. Default 64 KiB. */
  readonly maxLogLine?: number | string;
  /** Default 256 MiB. */
  readonly maxRunLog?: number | string;
  /** Default 4 MiB. */
  readonly maxArtifact?: number | string;
  /** Default 16 MiB. */
  readonly maxStreamValue?: number | string;
  /** Default 256 MiB. */
  readonly maxRunStreams?: number | string;
  /** Default 1 MiB. */
  readonly maxBody?: number | string;
  /** Default 16 MiB. */
  readonly maxBulkBody?: number | string;
  /** Default 15 s. */
  readonly headersTimeout?: Duration;
  /** Default 60 s. */
  readonly requestTimeout?: Duration;
}

/** When a deployment runs: exactly one of `cron`, `interval` and `rrule`. Times are ISO 8601, local to the zone if they name none. */
export interface ConfigSchedule {
  /** 5 fields, 6 with seconds first, or e.g. `@daily`. */
  readonly cron?: string;
  /** A duration such as `'15m'` or `'1 hour'`, or a number of seconds, as text. */
  readonly interval?: string;
  /** RFC 5545: an RRULE, or several lines with DTSTART, RRULE, RDATE and EXDATE. */
  readonly rrule?: string;
  /** Its wall clock counts. Default UTC. */
  readonly timezone?: string;
  /** For intervals: a time it ticks at. */
  readonly anchor?: string;
  readonly start?: string;
  readonly end?: string;
  /** Stable name in the deployment. Default its kind, numbered from the second on: `cron`, `cron-2`. */
  readonly slug?: string;
  /** Override the parameters of the deployment. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Each run starts up to this much after its tick. */
  readonly jitter?: Duration;
  /** Whether it begins paused. */
  readonly paused?: boolean;
}

/** A value that a filter compares. */
export type ConfigFilterValue = string | number | boolean | null;

/** What starts a run of a deployment, an event or the end of a run: its source as text, or its parts. */
export type ConfigTrigger = string | ConfigTriggerParts;

/** The parts of a trigger. Paths begin with `payload`, `event`, `run`, `params` or `result`. */
export interface ConfigTriggerParts {
  /**
   * `event:order.created`, `event:order.*`, `completed:extract` (a deployment), `failed:flow:extract` (a flow), `ended:*`; `completed`, `failed`,
   * `crashed`, `cancelled` or `ended`. A list: fires once each of them has occurred within `within`.
   */
  readonly on: string | readonly string[];
  /** Stable name in the deployment; default made of its sources. */
  readonly slug?: string;
  /** By path, such as `payload.total` or `run.flow`: the value it must have, or a list of allowed values. */
  readonly where?: Readonly<Record<string, ConfigFilterValue | readonly ConfigFilterValue[]>>;
  /** Tags the ended run must have, all of them. */
  readonly tags?: readonly string[];
  /** Parameter by name: the path of its value, such as `payload.order.id` or `result.rows`. Laid over the deployment's. */
  readonly params?: Readonly<Record<string, string>>;
  /** Length of the window in which all sources must occur. */
  readonly within?: Duration;
  /** Fires after this long without another occurrence, with the last one; at most `maxWait` after the first. */
  readonly debounce?: Duration | { readonly wait: Duration; readonly maxWait?: Duration };
  /** Path whose value separates windows and debounces, such as `payload.customer`. */
  readonly by?: string;
  /** Whether ends of runs made by a backfill count. Default false. */
  readonly backfills?: boolean;
}

/** The class of a flow. */
// oxlint-disable-next-line typescript/no-explicit-any -- a flow, whatever its constructor takes.
export type ConfigFlow = new (...args: any[]) => object;

/** A deployment for `batuta deploy --all`; checked there. */
export interface ConfigDeployment {
  /** Default the name of the flow. 1 to 100 letters, digits, `_`, `.` and `-`. */
  readonly name?: string;
  /** Name of a flow of the project, or the class. */
  readonly flow: string | ConfigFlow;
  readonly description?: string;
  /** Checked on deploy. May omit parameters that each of its schedules sets itself. */
  readonly params?: unknown;
  readonly tags?: readonly string[];
  /** Default `default`. */
  readonly queue?: string;
  /** -100 to 100, default 0. */
  readonly priority?: number;
  /** Runs at the same time; per key if there is one. A number means a limit for all with `onConflict: 'queue'`. */
  readonly concurrency?:
    | number
    | { readonly limit: number; readonly key?: string; readonly onConflict?: 'queue' | 'skip' | 'cancel-running' };
  /** How many of its runs may begin in any window of time; replaces that of its flow. Default unlimited. */
  readonly rateLimit?: { readonly limit: number; readonly per: Duration; readonly key?: string };
  /** Template of the key by which its runs take turns, like `{customer}`; replaces its flow's. Default its flow's, if a template. */
  readonly fairness?: string;
  /** How many of a worker's places each of its runs takes, from 1; replaces that of its flow. Default that of its flow. */
  readonly slots?: number;
  /** Which ticks to make up that were missed without a scheduler. Default `latest`. */
  readonly catchup?: 'none' | 'latest' | 'all';
  /** Default 1 hour. */
  readonly catchupWindow?: Duration;
  /** What a tick does while an earlier run is unfinished. Default `allow`. */
  readonly overlap?: 'allow' | 'skip' | 'buffer-one' | 'buffer-all' | 'cancel-running';
  /** How long ended runs are kept. Default as the settings say. */
  readonly retention?: Duration | 'forever';
  /** Template of the names of its runs, like `sync-{customer}`. Default that of the flow if it is a template, else two random words. */
  readonly runName?: string;
  /** Whether it begins paused; on an existing one, a manual pause or resume stays. */
  readonly paused?: boolean;
  readonly schedules?: readonly ConfigSchedule[];
  /**
   * What starts it besides its schedules: `'completed:extract'`, `'event:order.created'`, or a trigger with filters etc.; one or several.
   */
  readonly on?: ConfigTrigger | readonly ConfigTrigger[];
}

/** What an alert rule looks for. */
export type ConfigAlertCondition =
  /** A run ended so; a run is Late; a tick was missed; runs wait in a queue that no worker has served for 30 s. */
  | 'failed'
  | 'crashed'
  | 'late'
  | 'missed'
  | 'no-worker'
  /** A run takes longer than this, or than its own 95th percentile times a factor. */
  | { readonly longer: Duration }
  | { readonly longer: { readonly p95: number } }
  /** More than this share of the runs that ended within some time failed or crashed: 0 to 1. Judged from `atLeast` runs on, default 10. */
  | { readonly failureRate: number; readonly within: Duration; readonly atLeast?: number }
  | { readonly nothingCompleted: Duration }
  | { readonly noWorker: Duration }
  | { readonly queueOlder: Duration }
  /** Less than this is free on the scheduler's disk: `'10%'`, `'2GiB'`, or bytes. */
  | { readonly diskBelow: string | number }
  /** A task reported a metric above or below this. */
  | { readonly metric: string; readonly above?: number; readonly below?: number };

/** What is done when an alert fires. */
export type ConfigAlertAction =
  /** A POST by Standard Webhooks; `secret` is the name of the secret that signs it. */
  | { readonly webhook: string; readonly secret?: string }
  /** Name of the secret with the address of a Slack incoming webhook. */
  | { readonly slack: string }
  | { readonly email: string | readonly string[] }
  /** Runs a deployment; `params` override its own. */
  | { readonly run: string; readonly params?: Readonly<Record<string, unknown>> }
  /** Cancels the run, or pauses the deployment, that the alert is about. */
  | 'cancel'
  | 'pause';

/** An alert rule for `batuta deploy --all`; checked there. */
export interface ConfigAlert {
  readonly name: string;
  readonly on: ConfigAlertCondition;
  /** Which runs: of any of these flows and any of these deployments, with all of these tags. Default all. */
  readonly flows?: readonly string[];
  readonly deployments?: readonly string[];
  readonly tags?: readonly string[];
  readonly queues?: readonly string[];
  /** What one alert is about. Default `'deployment'`: each deployment, and each flow of runs without one. */
  readonly by?: 'deployment' | 'flow' | 'rule';
  readonly send?: ConfigAlertAction | readonly ConfigAlertAction[];
  /** While it fires, it is sent again after this long; 0: each occurrence. Default never. */
  readonly repeat?: Duration;
  /** Whether its end is sent as well. Default true. */
  readonly resolved?: boolean;
  readonly description?: string;
  readonly paused?: boolean;
}

/** Resolves a secret reference. `signal` aborts when nobody waits for it any more. */
export type ResolveSecret = (reference: string, options: { readonly signal: AbortSignal }) => Promise<string> | string;

/** Result of a project's check. Nothing and true: all is well; false: it is not. */
export type OwnHealthAnswer =
  | undefined
  | boolean
  | {
      readonly status: 'healthy' | 'degraded' | 'unhealthy';
      /** What was found, one sentence. */
      readonly found?: string;
      /** How to fix it. */
      readonly mend?: string | null;
    };

/** A check of a project. Throwing means unhealthy. `signal` aborts when nobody waits for it any more, after 3 seconds. */
export type OwnHealthCheck = (options: { readonly signal: AbortSignal }) => Promise<OwnHealthAnswer | void> | OwnHealthAnswer | void;

/** The default export of `batuta.config.ts`. */
export interface BatutaConfig {
  /** Folders or files with flows; default `flows`. */
  readonly flows?: string | readonly string[];
  readonly defaults?: ConfigDefaults;
  /**
   * Creates the instances of flows, so that a container can pass constructor arguments: `(cls) => container.get(cls)`. Called once for each
   * attempt of a run, and for each task in a thread, with a class that has `@Flow`. Default: `new cls()`.
   */
  readonly instantiate?: (cls: ConfigFlow) => object | Promise<object>;
  /** What `batuta deploy --all` and `batuta dev` deploy. */
  readonly deployments?: readonly ConfigDeployment[];
  /** Alert rules that `batuta deploy --all` and `batuta dev` put in force. */
  readonly alerts?: readonly ConfigAlert[];
  /** Stores of secrets, by name: `vault: async (path) => …` resolves references such as `vault:kv/data/stripe`. */
  readonly secrets?: Readonly<Record<string, ResolveSecret>>;
  /** Checks of what flows need, by name: `/health`, `batuta doctor` and the dashboard show them with Batuta's own. */
  readonly health?: Readonly<Record<string, OwnHealthCheck>>;
  /** Functions around all runs and tasks; see `ProjectConfig`. */
  readonly middleware?: readonly unknown[];
}
