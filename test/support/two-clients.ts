/** A client over HTTP beside the one on the store, with a real server and a real worker behind them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/base/config.ts';
import { BatutaError, isBatutaError } from '../../src/base/errors.ts';
import { openLog } from '../../src/base/log.ts';
import type { Client } from '../../src/client/client.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { openHttpClient } from '../../src/client/http/open.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import type { Run } from '../../src/model/run.ts';
import { startServer } from '../../src/server/start.ts';
import { makeCliProject } from '../e2e/cli-project.ts';

/** The flows that the worker knows. */
const flows = `
import { correlationHeaders, Flow, resource, Task, type FlowContext, type TaskContext } from 'batuta';
import { z } from 'zod';
const pool = resource('pool', () => 'pool');
const when = z.object({ at: z.date(), sizes: z.map(z.string(), z.bigint()).optional() });
@Flow({ params: when, tags: ['typed'] })
export class Typed {
  @Task() async look(ctx: TaskContext<z.infer<typeof when>>) {
    ctx.log.info({ year: ctx.params.at.getUTCFullYear() }, 'looked');
    ctx.log.warn('twice');
    await ctx.artifact.markdown('note', '# Note');
    await ctx.use(pool);
    return { at: ctx.params.at, sizes: ctx.params.sizes ?? null };
  }
}
@Flow() export class Small { @Task() async one() { return 1; } }
@Flow() export class Large { @Task() async much() { return 'x'.repeat(3_000_000); } }
@Flow() export class Fails { @Task() async good() { return 1; } @Task({ needs: ['good'] }) async bad() { throw new TypeError('cannot do this'); } }
@Flow() export class Many { @Task() async list() { return [1, 2, 3, 4, 5]; } @Task({ each: 'list' }) async item(n: number) { return n; } }
@Flow() export class Traced {
  @Task({ spread: true }) async far(ctx: TaskContext) { ctx.log.info('far'); return correlationHeaders(); }
  @Task({ isolate: 'thread', needs: ['far'] }) async apart(far: unknown) { return [far, correlationHeaders()]; }
}
@Flow() export class Asks {
  @Task() async sum(n: number) { return n + 1; }
  async run(_params: object, ctx: FlowContext) { return this.sum(await ctx.waitFor('answer') as number); }
}
`;

export interface TwoClients {
  readonly local: LocalClient;
  readonly http: Client;
  readonly url: string;
  /** The end of a run that was asked for over HTTP. */
  ended(flow: string, params?: unknown): Promise<Run>;
  /** Stops the server and starts it again at the same address; `between` happens while it is away. */
  restart(between: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

export async function openTwoClients(): Promise<TwoClients> {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-http-'));
  const project = makeCliProject({ 'flows/all.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
  const env = {
    BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`,
    BATUTA_FLOWS: join(project.path, 'flows'),
    BATUTA_PORT: String(await freePort()),
  };
  const { config } = await loadConfig({ env, isTty: false });
  const log = await openLog({ level: 'silent', format: 'json' });
  const local = await openLocalClient({ config, log });
  let server = await startServer({ config, log, cwd: '/' });
  const worker = project.start('--database-url', env.BATUTA_DATABASE_URL, 'worker');
  await worker.sees('serves default');
  const http = openHttpClient({ apiUrl: server.url });
  return {
    local,
    http,
    url: server.url,
    ended: async (flow, params) => (await http.enqueue(flow, params)).done(),
    async restart(between) {
      await server.stop(1_000);
      await between();
      server = await startServer({ config, log, cwd: '/' });
    },
    async close() {
      await http.close();
      worker.child.kill('SIGTERM');
      await worker.finished;
      await server.stop(1_000);
      await local.close();
      project.remove();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Code and message of what a call is refused for. */
export async function refusalOf(call: Promise<unknown>): Promise<readonly [string, string]> {
  const error = await call.then(
    () => new BatutaError('INTERNAL', 'It was not refused.'),
    (thrown: unknown) => thrown,
  );
  if (!isBatutaError(error)) throw error;
  return [error.code, error.message];
}

async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
