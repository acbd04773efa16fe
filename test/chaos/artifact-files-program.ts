/** The processes of the tests of large files: one that keeps a file, dies in the middle or goes on, and a server that sends it. Says the most memory it had. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';
import { loadConfig } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import { peakMemoryOf } from '../../src/base/process-usage.ts';
import { definitionOf } from '../../src/define/definition.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import { startServer } from '../../src/server/start.ts';
import { largeFile } from '../support/large-file.ts';

export interface FileOrder {
  readonly what: 'keep' | 'serve';
  readonly databaseUrl: string;
  readonly results: string;
  readonly bytes: number;
  /** So many bytes are given before the source stands still; null: all of them. */
  readonly standsAt: number | null;
  /** The run to go on with; null starts one. */
  readonly runId: string | null;
  /** Of the server. */
  readonly port: number;
}

const order = JSON.parse(process.argv[2] ?? '{}') as FileOrder;

async function* source(): AsyncGenerator<Uint8Array> {
  let given = 0;
  for (const piece of largeFile(order.bytes)) {
    yield piece;
    given += piece.length;
    if (order.standsAt !== null && given >= order.standsAt) {
      process.stdout.write('stands\n');
      await sleep(3_600_000);
    }
  }
}

@Flow({ name: 'keeps' })
class Keeps {
  @Task() async work({ artifact }: TaskContext): Promise<void> {
    await artifact.file('data', source(), { fileName: 'data.bin' });
  }
}

const log = await openLog({ level: 'warn', format: 'json' });
if (order.what === 'keep') {
  const { databaseUrl, results } = order;
  const client = await openLocalClient({ databaseUrl, results, log }, { findFlow: async () => definitionOf(Keeps) });
  const handle = order.runId === null ? await client.submit(Keeps, {}) : await client.runs.resume(order.runId);
  process.stdout.write(`started ${handle.id}\n`);
  const run = await handle.done();
  process.stdout.write(`ended ${run.state.name}\n`);
  await client.close();
} else {
  const { config } = await loadConfig({ flags: { databaseUrl: order.databaseUrl, results: order.results, port: String(order.port) } });
  const server = await startServer({ config, log, cwd: process.cwd() });
  process.stdout.write(`serves ${server.url}\n`);
  await new Promise<void>((resolve) => process.once('SIGTERM', resolve));
  await server.stop(0);
}
process.stdout.write(`peak ${peakMemoryOf('self') ?? 0}\n`);
process.exit(0);
