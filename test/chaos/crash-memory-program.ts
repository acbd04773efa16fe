/** 100,000 mapped items in one run, in a process whose heap is bounded by its parent. Prints `rss` in MB, then `done`. */
import { Flow, Task } from 'batuta';
import { openEngine } from '../support/open-engine.ts';

const items = 100_000;

@Flow()
class Many {
  @Task()
  list(): number[] {
    return Array.from({ length: items }, (_, at) => at);
  }

  @Task({ each: 'list' })
  async work(item: number): Promise<number> {
    await Promise.resolve();
    return item + 1;
  }

  @Task({ needs: ['work'] })
  sum(all: number[]): number {
    return all.reduce((a, b) => a + b, 0);
  }
}

let most = 0;
const watch = setInterval(() => {
  most = Math.max(most, process.memoryUsage.rss());
}, 20);
const { client } = await openEngine({ url: process.argv[2] ?? '' });
const handle = await client.submit(Many);
const result = await handle.result();
clearInterval(watch);
process.stdout.write(`rss ${Math.round(Math.max(most, process.memoryUsage.rss()) / 2 ** 20)}\n`);
await client.close();
process.stdout.write(`done ${String(result)}\n`);
