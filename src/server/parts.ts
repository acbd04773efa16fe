/** What the parts of the server consist of: the app, and what its routes need. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock } from '../base/clock.ts';
import type { SettingLine } from '../base/config.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import type { LocalClient } from '../client/local-client.ts';
import type { Health } from '../monitor/health/health.ts';
import type { Metrics } from '../monitor/open-metrics.ts';
import type { Authorize } from './authorize.ts';
import type { Authenticator } from './identity.ts';
import type { LiveEvents, StreamBounds } from './events/live-events.ts';

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

export interface AppOptions {
  readonly client: LocalClient;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  /** Whether it will listen on an address that only this computer reaches. */
  readonly loopback: boolean;
  /** Whether a proxy in front sets client and protocol by `X-Forwarded-…`. */
  readonly trustProxy: boolean;
  /** Path prefix of everything; empty for none. */
  readonly basePath?: string | undefined;
  /** Says who asks if the surrounding program knows; default: keys and sessions alone. */
  readonly authorize?: Authorize | undefined;
  /** Build folder of the dashboard. */
  readonly siteFolder: string;
  /** Settings that may be shown. */
  readonly settings: () => readonly SettingLine[];
  /** Places searched for flows. */
  readonly flows: readonly string[];
  /** Between signs of life in event streams, ms; default 15,000. */
  readonly beatMs?: number | undefined;
  /** Default those of `usualBounds`. */
  readonly bounds?: Partial<Bounds> | undefined;
  /** Metrics of the surrounding program; default its own, measured once requested. */
  readonly metrics?: Metrics | undefined;
  /** Health of the process and the fleet; default: whether the database answers. */
  readonly health?: Health | undefined;
  /** Address of a trace, with `{traceId}` in it; default none. */
  readonly traceUrl?: string | null | undefined;
  /** Settings used by metrics; default as if none was set. */
  readonly monitored?: Monitored | undefined;
}

/** Settings used by metrics. */
export type Monitored = Pick<Config, 'metricsLabelValues' | 'redisUrl' | 'brokerUrl'>;

/** Bounds on what callers may use of the server. */
export interface Bounds extends Pick<Config, 'maxBodyBytes' | 'maxBulkBodyBytes' | 'headersTimeoutMs' | 'requestTimeoutMs'> {
  /** Requests per address and minute without valid credentials; further ones are refused unchecked. */
  readonly failuresPerMinute: number;
  readonly streams: Partial<StreamBounds>;
}

export const usualBounds: Bounds = {
  maxBodyBytes: 1024 * 1024,
  maxBulkBodyBytes: 16 * 1024 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  failuresPerMinute: 500,
  streams: {},
};

/** What routes need. */
export interface RouteParts extends Pick<AppOptions, 'client' | 'clock' | 'settings' | 'flows'> {
  readonly basePath: string;
  readonly bounds: Bounds;
  readonly authenticator: Authenticator;
  readonly live: LiveEvents;
  readonly traceUrl: string | null;
  readonly metrics: () => Promise<Metrics>;
  readonly health: Health;
}
