/** What a project may say in its `batuta.config.ts`. */
import type { Duration } from './duration.ts';
import type { LogFormat, LogLevel } from './settings.ts';

/** Settings a project sets for itself; flags and environment variables still win. Secrets belong in the environment. */
export interface ConfigDefaults {
  /** `sqlite:<path>` or `postgres://…`; default `sqlite:.batuta/batuta.db`. */
  readonly databaseUrl?: string;
  /** `redis://…` or `rediss://…`; default none, which means the local broker. */
  readonly redisUrl?: string;
  /** `postgres://…`; carries tickets where there is no Redis. */
  readonly brokerUrl?: string;
  readonly host?: string;
  readonly port?: number;
  /** Path below which the server has the dashboard and the API, such as `/batuta`; default none. */
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
  /** Where results were kept before. */
  readonly formerResults?: readonly string[];
  /** `smtp://user:password@host:587` or `smtps://…`; a password belongs in the environment. */
  readonly smtpUrl?: string;
  readonly smtpFrom?: string;
  /** Hosts of private networks that alerts may be sent to. */
  readonly alertHosts?: readonly string[];
  /** `'forever'` keeps everything. */
  readonly retention?: Duration | 'forever';
  /** Most connections that a process holds to a PostgreSQL database; default 13, at least 3. */
  readonly databaseConnections?: number;
  /** How often a run goes on after its process was lost; default 3. */
  readonly maxRecoveries?: number;
  /** File that one worker or scheduler renews as long as it works. */
  readonly healthFile?: string;
  /** Port on which a worker or a scheduler serves its metrics and health; default none. */
  readonly metricsPort?: number;
  /** Default `127.0.0.1`. */
  readonly metricsHost?: string;
  /** Values of one label that metrics tell apart; default 200. */
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

/** When a deployment runs: exactly one of `cron`, `interval` and `rrule`. Times are ISO 8601, local to the zone when they name none. */
export interface ConfigSchedule {
  /** 5 fields, 6 with seconds first, or `@daily` and the like. */
  readonly cron?: string;
  /** A duration such as `'15m'` or `'1 hour'`, or a number of seconds, as text. */
  readonly interval?: string;
  /** RFC 5545: an RRULE, or several lines with DTSTART, RRULE, RDATE and EXDATE. */
  readonly rrule?: string;
  /** Whose wall clock counts. Default UTC. */
  readonly timezone?: string;
  /** For intervals: a time it ticks at. */
  readonly anchor?: string;
  readonly start?: string;
  readonly end?: string;
  /** Stable name in the deployment. Default its kind, with a number from the second of a kind on: `cron`, `cron-2`. */
  readonly slug?: string;
  /** Laid over the parameters of the deployment. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Each run starts up to so much later than its tick. */
  readonly jitter?: Duration;
  /** Whether it begins paused. */
  readonly paused?: boolean;
}

/** A value that a filter compares. */
export type ConfigFilterValue = string | number | boolean | null;

/** What starts a run of a deployment: an event or the end of a run. Paths begin with `payload`, `event`, `run`, `params` or `result`. */
export type ConfigTrigger =
  | string
  | {
      /** `event:order.created`, `completed:extract`, `failed:flow:extract`. A list: fires once each has occurred within `within`. */
      readonly on: string | readonly string[];
      /** Stable name in the deployment. Default made of its sources. */
      readonly slug?: string;
      /** By path: the value that must stand there, or a list of those that may. */
      readonly where?: Readonly<Record<string, ConfigFilterValue | readonly ConfigFilterValue[]>>;
      /** Tags that the run which ended must have. */
      readonly tags?: readonly string[];
      /** Parameter by name: the path of its value. */
      readonly params?: Readonly<Record<string, string>>;
      readonly within?: Duration;
      /** Fires after so long without another occurrence, with the last one. */
      readonly debounce?: Duration | { readonly wait: Duration; readonly maxWait?: Duration };
      /** Path whose value keeps windows and debounces apart. */
      readonly by?: string;
      /** Whether ends of runs that a backfill made count. Default false. */
      readonly backfills?: boolean;
    };

/** The class of a flow. */
// oxlint-disable-next-line typescript/no-explicit-any -- a flow, whatever its constructor takes.
export type ConfigFlow = new (...args: any[]) => object;

/** A deployment, as `batuta deploy --all` takes it; checked there. */
export interface ConfigDeployment {
  /** Default the name of the flow. */
  readonly name?: string;
  /** Name of a flow of the project, or the class. */
  readonly flow: string | ConfigFlow;
  readonly description?: string;
  readonly params?: unknown;
  readonly tags?: readonly string[];
  readonly queue?: string;
  /** -100 to 100. */
  readonly priority?: number;
  /** Runs at the same time; of each key apart when there is one. */
  readonly concurrency?:
    | number
    | { readonly limit: number; readonly key?: string; readonly onConflict?: 'queue' | 'skip' | 'cancel-running' };
  /** How many of its runs may begin in any window of time. */
  readonly rateLimit?: { readonly limit: number; readonly per: Duration; readonly key?: string };
  /** Template of the key by which its runs take turns. Default that of its flow where it is a template. */
  readonly fairness?: string;
  /** How many of a worker's places each of its runs takes. Default that of its flow. */
  readonly slots?: number;
  /** Which ticks are made up that came while no scheduler was at work. Default `latest`. */
  readonly catchup?: 'none' | 'latest' | 'all';
  /** Default 1 hour. */
  readonly catchupWindow?: Duration;
  /** What a tick does while an earlier run has not ended. Default `allow`. */
  readonly overlap?: 'allow' | 'skip' | 'buffer-one' | 'buffer-all' | 'cancel-running';
  /** How long ended runs are kept. Default as the settings say. */
  readonly retention?: Duration | 'forever';
  /** Template of the names of its runs, like `sync-{customer}`. */
  readonly runName?: string;
  /** Whether it begins paused. */
  readonly paused?: boolean;
  readonly schedules?: readonly ConfigSchedule[];
  /** What starts it beside its schedules: `'completed:extract'`, `'event:order.created'`, or a trigger with filters and the like; one or several. */
  readonly on?: ConfigTrigger | readonly ConfigTrigger[];
}

/** What a rule of alerts looks for. */
export type ConfigAlertCondition =
  /** A run has ended so; a run is Late; a tick was missed; runs wait in a queue that no worker has served for 30 s. */
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
  /** Less than this is free where the scheduler writes: `'10%'`, `'2GiB'`, or bytes. */
  | { readonly diskBelow: string | number }
  /** A task has reported a metric above or below this. */
  | { readonly metric: string; readonly above?: number; readonly below?: number };

/** What is done when an alert fires. */
export type ConfigAlertAction =
  /** A POST by Standard Webhooks; `secret` is the name of the secret that signs it. */
  | { readonly webhook: string; readonly secret?: string }
  /** Name of the secret that holds the address of an incoming webhook of Slack. */
  | { readonly slack: string }
  | { readonly email: string | readonly string[] }
  /** Runs a deployment; `params` are laid over its own. */
  | { readonly run: string; readonly params?: Readonly<Record<string, unknown>> }
  /** Cancels the run, or pauses the deployment, that the alert is about. */
  | 'cancel'
  | 'pause';

/** A rule of alerts, as `batuta deploy --all` takes it; checked there. */
export interface ConfigAlert {
  readonly name: string;
  readonly on: ConfigAlertCondition;
  /** Of which runs: of any of these flows and of any of these deployments, with all of these tags. Default all. */
  readonly flows?: readonly string[];
  readonly deployments?: readonly string[];
  readonly tags?: readonly string[];
  readonly queues?: readonly string[];
  /** What one alert is about. Default `'deployment'`: each deployment, and each flow of runs without one. */
  readonly by?: 'deployment' | 'flow' | 'rule';
  readonly send?: ConfigAlertAction | readonly ConfigAlertAction[];
  /** While it fires, it is sent again after so long; 0: for each occurrence. Default never. */
  readonly repeat?: Duration;
  /** Whether its end is sent as well. Default true. */
  readonly resolved?: boolean;
  readonly description?: string;
  readonly paused?: boolean;
}

/** Gives the secret that a reference names. `signal` aborts when nobody waits for it any more. */
export type ResolveSecret = (reference: string, options: { readonly signal: AbortSignal }) => Promise<string> | string;

/** What a check of a project answers. Nothing and true: all is well; false: it is not. */
export type OwnHealthAnswer =
  | undefined
  | boolean
  | {
      readonly status: 'healthy' | 'degraded' | 'unhealthy';
      /** What was found, one sentence. */
      readonly found?: string;
      /** What to do about it. */
      readonly mend?: string | null;
    };

/** A check of a project. What it throws is unhealthy. `signal` aborts when nobody waits for it any more, after 3 seconds. */
export type OwnHealthCheck = (options: { readonly signal: AbortSignal }) => Promise<OwnHealthAnswer | void> | OwnHealthAnswer | void;

/** The default export of `batuta.config.ts`. */
export interface BatutaConfig {
  /** Folders or files that hold flows; default `flows`. */
  readonly flows?: string | readonly string[];
  readonly defaults?: ConfigDefaults;
  /**
   * Makes the instances of flows, so that their constructors may take what a container gives: `(cls) => container.get(cls)`. Called once for each
   * attempt of a run, and for each task in a thread, with a class that has `@Flow`. Default: `new cls()`.
   */
  readonly instantiate?: (cls: ConfigFlow) => object | Promise<object>;
  /** What `batuta deploy --all` and `batuta dev` deploy. */
  readonly deployments?: readonly ConfigDeployment[];
  /** Rules of alerts, which `batuta deploy --all` and `batuta dev` put in force. */
  readonly alerts?: readonly ConfigAlert[];
  /** Places that secrets are kept in, by name: `vault: async (path) => …` gives the values of references such as `vault:kv/data/stripe`. */
  readonly secrets?: Readonly<Record<string, ResolveSecret>>;
  /** Checks of what flows need, by name: `/health`, `batuta doctor` and the dashboard show them beside those of Batuta. */
  readonly health?: Readonly<Record<string, OwnHealthCheck>>;
  /** Functions around all runs and tasks; `ProjectConfig` says what they are. */
  readonly middleware?: readonly unknown[];
}
