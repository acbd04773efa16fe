/** Types of the server's responses, named as the pages use them. Instants are ISO 8601 text in UTC. */
import type { Reporter as StoredReporter } from '../../../src/model/report.ts';
import type { ApiKey, AuditEntry, Role } from '../../../src/client/access-client.ts';
import type {
  BulkReport,
  HistogramBucket,
  LimitView,
  Monitoring,
  Overview,
  QueueView,
  RunListItem,
  WorkerView,
} from '../../../src/client/fleet-client.ts';
import type { ListedConnection, ListedSecret, Variable } from '../../../src/client/secrets-client.ts';
import type { Wire } from '../../../src/client/wire.ts';
import type { State } from '../../../src/model/state.ts';
import type { CacheEntry, CacheTotals, ArtifactKey, ListedArtifact } from '../../../src/store/store.ts';

export type { BulkReport, Role };

/** One page of a list, and the cursor of the next; null at the end. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A run in a list: without its values, with its duration. */
export type RunRow = Omit<Wire<RunListItem>, 'params' | 'result' | 'resultRef'> & {
  /** From start to end; null while it has not ended. */
  readonly durationMs: number | null;
};

export type HomeView = Omit<Wire<Overview>, 'runningNow'> & { readonly runningNow: readonly RunRow[] };
export type Bucket = Wire<HistogramBucket>;
export type Queue = Wire<QueueView>;
export type Figures = Wire<Monitoring>;

/** Health checks of the fleet. */
export interface HealthView {
  readonly status: HealthStatus;
  readonly checks: readonly {
    readonly name: string;
    readonly status: HealthStatus;
    readonly found: string;
    readonly mend: string | null;
    readonly tookMs: number;
    readonly at: string;
  }[];
  /** Newest first. */
  readonly history: readonly { readonly status: HealthStatus; readonly check: string | null; readonly at: string }[];
}

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';
export type Worker = Wire<WorkerView>;
export type Reporter = Wire<StoredReporter>;
export type Limit = Wire<LimitView>;
export type CacheRow = Wire<CacheEntry>;
export type CacheFigures = CacheTotals;
export type Key = Wire<ApiKey>;
export type Audit = Wire<AuditEntry>;

/** A secret without its value; for all but admins only its name. */
export type SecretRow = Wire<ListedSecret>;
/** A variable; its value is the user's, unchanged. */
export type VariableRow = Omit<Wire<Variable>, 'value'> & { readonly value: unknown };
/** A connection, with only the storage place of its secret fields; for all but admins only name and kind. */
export type ConnectionRow = Omit<Wire<ListedConnection>, 'fields' | 'secrets'> & Pick<ListedConnection, 'fields' | 'secrets'>;

/** An artifact in the list across runs, with the names of its run. Long data is left out (null). */
export type ArtifactRow = Wire<ListedArtifact>;
/** A key with its newest version. */
export type ArtifactKeyRow = Wire<ArtifactKey>;

/** The viewer. `role` is null before a required login. */
export interface Me {
  readonly role: Role | null;
  readonly who: string | null;
  readonly csrf: string | null;
  readonly needsKey: boolean;
}

/** Values filters can take. */
export interface Facets {
  readonly flows: readonly string[];
  readonly deployments: readonly string[];
  readonly tags: readonly string[];
}

/** Live event: a run changed. */
export interface RunEvent {
  readonly id: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly state: State;
  readonly at: string;
}

/** One setting of the server with the source of its value; secrets are masked. */
export interface SettingRow {
  readonly name: string;
  readonly env: string;
  /** Empty when unset. */
  readonly value: string;
  readonly source: string;
}
