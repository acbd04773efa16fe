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
  readonly apiUrl?: string;
  readonly lease?: Duration;
  readonly heartbeat?: Duration;
  readonly concurrency?: number;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
  readonly captureConsole?: boolean;
  readonly results?: string;
  /** `'forever'` keeps everything. */
  readonly retention?: Duration | 'forever';
}

/** The default export of `batuta.config.ts`. */
export interface BatutaConfig {
  /** Folders or files that hold flows; default `flows`. */
  readonly flows?: string | readonly string[];
  readonly defaults?: ConfigDefaults;
}

/**
 * Gives its argument back; there so that an editor knows what may be written in `batuta.config.ts`.
 *
 * @example export default defineConfig({ flows: ['flows', 'reports/daily.ts'], defaults: { lease: '30s' } });
 */
export function defineConfig(config: BatutaConfig): BatutaConfig {
  return config;
}
