/** Processes that the chaos tests of reports kill: a program that runs flows and reports them, or the server that it reports to. Settings come by the environment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';
import { loadConfig } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import { startServer } from '../../src/server/start.ts';

/** A kilobyte. */
const long = 'x'.repeat(1_000);

@Flow({ name: 'reads', version: '1' })
class Reads {
  @Task() async first(ctx: TaskContext) {
    for (let line = 0; line < 40; line++) ctx.log.info(`${line} ${long}`);
    await ctx.artifact.json('seen', { at: ctx.run.id });
    return [1, 2, 3];
  }
  @Task({ each: 'first' }) async item(n: number) {
    return n;
  }
}

const { config } = await loadConfig();
const log = await openLog({ level: 'info', format: 'json', write: (text) => void process.stderr.write(text) });
const ended = new Promise<void>((resolve) => process.once('SIGTERM', resolve));
if (process.argv[2] === 'server') {
  const server = await startServer({ config, log, cwd: process.cwd() });
  process.stdout.write('serves\n');
  await ended;
  await server.stop(0);
} else {
  let isOver = false;
  void ended.then(() => (isOver = true));
  const client = await openLocalClient({ config, log: await openLog({ level: 'info', format: 'json', write: () => undefined }) });
  process.stdout.write('works\n');
  while (!isOver) {
    await (await client.submit(Reads, {})).done();
    await sleep(20);
  }
  await client.close();
}
process.exit(0);
