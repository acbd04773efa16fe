/** A server over a database of the test's own, asked by request objects: no port is opened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { InjectOptions } from 'fastify';
import { systemClock } from '../../src/base/clock.ts';
import { describeConfig, loadConfig } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import type { Role } from '../../src/model/access.ts';
import { makeApp } from '../../src/server/app.ts';
import type { Authorize } from '../../src/server/authorize.ts';
import type { App, Bounds } from '../../src/server/parts.ts';
import { answers } from '../../src/server/schemas/answers.ts';
import { boundsOf } from '../../src/server/start.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any -- what comes is what the test looks at
}

export interface Api {
  readonly app: App;
  readonly client: LocalClient;
  readonly folder: string;
  /** What was logged. */
  readonly logged: string[];
  ask(method: string, url: string, options?: AskOptions): Promise<Answer>;
  get(url: string, options?: AskOptions): Promise<Answer>;
  post(url: string, body?: unknown, options?: AskOptions): Promise<Answer>;
  key(role: Role, name?: string): Promise<string>;
  /** Opens a free port of 127.0.0.1 and gives its URL. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiOptions {
  /** Default SQLite in a folder of its own. */
  readonly databaseUrl?: string;
  readonly flows?: string;
  /** Default true. */
  readonly loopback?: boolean;
  readonly siteFolder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly beatMs?: number;
  readonly bounds?: Partial<Bounds>;
  readonly authorize?: Authorize;
}

/** Close it at the end. */
export async function openApi(options: ApiOptions = {}): Promise<Api> {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-api-'));
  const databaseUrl = options.databaseUrl ?? `sqlite:${join(folder, 'batuta.db')}`;
  const loaded = await loadConfig({
    env: {
      BATUTA_DATABASE_URL: databaseUrl,
      BATUTA_RESULTS: join(folder, 'results'),
      BATUTA_FLOWS: options.flows ?? resolve('flows/hello.ts'),
      ...(databaseUrl.startsWith('postgres') ? { BATUTA_BROKER_URL: databaseUrl } : {}),
      ...options.env,
    },
  });
  const logged: string[] = [];
  const log = await openLog({ level: 'debug', format: 'json', write: (text) => void logged.push(text) });
  const client = await openLocalClient({ config: loaded.config, log, captureConsole: false });
  const app = await makeApp({
    client,
    log,
    clock: systemClock,
    random: Math.random,
    loopback: options.loopback ?? true,
    trustProxy: loaded.config.trustProxy,
    siteFolder: options.siteFolder ?? join(folder, 'web'),
    settings: () => describeConfig(loaded),
    flows: loaded.config.flows,
    traceUrl: loaded.config.traceUrl,
    beatMs: options.beatMs,
    authorize: options.authorize,
    bounds: { ...boundsOf(loaded.config), ...options.bounds },
  });
  const ask: Api['ask'] = async (method, url, { body, key, headers = {} } = {}) => {
    const answer = await app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url,
      headers: { host: 'localhost:4200', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
      ...(body === undefined ? {} : { payload: body as NonNullable<InjectOptions['payload']> }),
    });
    const json = jsonOf(answer.body);
    if (answer.statusCode < 300 && json !== undefined) holdToDescription(method, url, json);
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json };
  };
  return {
    app,
    client,
    folder,
    logged,
    ask,
    get: (url, more) => ask('GET', url, more),
    post: (url, body, more) => ask('POST', url, { ...more, body }),
    key: async (role, name: string = role) => (await client.keys.create({ name, role })).key,
    async listen() {
      return await app.listen({ host: '127.0.0.1', port: 0 });
    },
    async close() {
      await app.close();
      await client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const patterns = Object.entries(answers).map(([row, schema]) => {
  const [method = '', path = ''] = row.split(' ');
  return { row, method, path: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`), isExact: !path.includes(':'), schema };
});

/** Every answer in every test is as the API describes it. */
function holdToDescription(method: string, url: string, json: unknown): void {
  const path = url.split('?', 1)[0] ?? '';
  const fitting = patterns.filter((pattern) => pattern.method === method && pattern.path.test(path));
  const found = fitting.find(({ isExact }) => isExact) ?? fitting[0];
  const checked = found?.schema.safeParse(json);
  if (checked?.success === false) throw new Error(`${found?.row} answers otherwise than it says: ${checked.error.message}`);
}
