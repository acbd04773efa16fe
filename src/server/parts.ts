/** What the parts of the server are made of: the app, and what its routes ask. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock } from '../base/clock.ts';
import type { SettingLine } from '../base/config.ts';
import type { Log } from '../base/log.ts';
import type { LocalClient } from '../client/local-client.ts';
import type { Doorkeeper } from './identity.ts';
import type { LiveEvents } from './live-events.ts';

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
  /** Where the dashboard was built to. */
  readonly siteFolder: string;
  /** Settings as they may be shown. */
  readonly settings: () => readonly SettingLine[];
  /** Places flows are looked for in. */
  readonly flows: readonly string[];
  /** Between signs of life in streams of events, ms; default 15,000. */
  readonly beatMs?: number | undefined;
}

/** What a route is made of. */
export interface RouteParts extends Pick<AppOptions, 'client' | 'clock' | 'settings' | 'flows'> {
  readonly doorkeeper: Doorkeeper;
  readonly live: LiveEvents;
}
