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
  /** Places that secrets are kept in, by name: `vault: async (path) => …` gives the values of references such as `vault:kv/data/stripe`. */
  readonly secrets?: Readonly<Record<string, ResolveSecret>>;
  /** Checks of what flows need, by name: `/health`, `batuta doctor` and the dashboard show them beside those of Batuta. */
  readonly health?: Readonly<Record<string, OwnHealthCheck>>;
  /** Functions around all runs and tasks; `ProjectConfig` says what they are. */
  readonly middleware?: readonly unknown[];
}
