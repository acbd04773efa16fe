/** What the parts of the server are made of: the app, and what its routes ask. */
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
  /** Whether a proxy in front tells who asks, and over what, by `X-Forwarded-…`. */
  readonly trustProxy: boolean;
  /** Path below which all of it is; empty for none. */
  readonly basePath?: string | undefined;
  /** Says who asks where the program around it knows; default: keys and sessions alone. */
  readonly authorize?: Authorize | undefined;
  /** Where the dashboard was built to. */
  readonly siteFolder: string;
  /** Settings as they may be shown. */
  readonly settings: () => readonly SettingLine[];
  /** Places flows are looked for in. */
  readonly flows: readonly string[];
  /** Between signs of life in streams of events, ms; default 15,000. */
  readonly beatMs?: number | undefined;
  /** Default those of `usualBounds`. */
  readonly bounds?: Partial<Bounds> | undefined;
  /** Metrics of the program around it; default its own, measured once somebody asks for them. */
  readonly metrics?: Metrics | undefined;
  /** How the process and the fleet are; default: whether the database answers. */
  readonly health?: Health | undefined;
  /** Address of a trace, with `{traceId}` in it; default none. */
  readonly traceUrl?: string | null | undefined;
  /** What metrics want to know of the settings; default as if none was set. */
  readonly monitored?: Monitored | undefined;
}

/** Settings that metrics look at. */
export type Monitored = Pick<Config, 'metricsLabelValues' | 'redisUrl' | 'brokerUrl'>;

/** How much the server lets others take of it. */
export interface Bounds extends Pick<Config, 'maxBodyBytes' | 'maxBulkBodyBytes' | 'headersTimeoutMs' | 'requestTimeoutMs'> {
  /** Requests of one address a minute that show nothing which opens anything; further ones are refused without a look. */
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

/** What a route is made of. */
export interface RouteParts extends Pick<AppOptions, 'client' | 'clock' | 'settings' | 'flows'> {
  readonly basePath: string;
  readonly bounds: Bounds;
  readonly authenticator: Authenticator;
  readonly live: LiveEvents;
  readonly traceUrl: string | null;
  readonly metrics: () => Promise<Metrics>;
  readonly health: Health;
}
