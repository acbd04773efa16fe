/** Flows that the tests of the command line run. */

/** Says hello, once as a task should and twice past the log. */
export const chatty = `
import { Flow, Task, type TaskContext } from 'batuta';
console.log('printed while it loads');
@Flow({ tags: ['greeting'] })
export class Chatty {
  @Task() async first(ctx: TaskContext) { console.log('by console'); process.stdout.write('past everything\\n'); ctx.log.warn({ n: 1 }, 'by the log'); return { at: new Date(0), n: 10n }; }
  @Task({ needs: ['first'] }) async second(value: { n: bigint }) { return String(value.n); }
}`;

export const failing = `
import { Flow, Task } from 'batuta';
import { existsSync } from 'node:fs';
@Flow()
export class Failing {
  @Task() async good() { console.log('good ran'); return 1; }
  @Task({ needs: ['good'] }) async bad(n: number) { if (!existsSync('mended')) throw new TypeError('cannot do this', { cause: new Error('deep down') }); return n + 1; }
  @Task({ needs: ['bad'] }) async after(n: number) { return n; }
}`;

export const strict = `
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
const params = z.object({ month: z.string(), limit: z.number().int().describe('how many'), dry: z.boolean().default(false), days: z.array(z.number()).optional() });
@Flow({ params })
export class Strict {
  @Task() async echo(ctx: TaskContext<z.infer<typeof params>>) { return ctx.params; }
}`;

/** Waits until it is stopped; \`stubborn\` does not even listen. */
export const waiting = `
import { Flow, Task, type TaskContext } from 'batuta';
@Flow()
export class Waiting {
  @Task() async before() { return 1; }
  @Task({ needs: ['before'] }) async wait(_n: number, ctx: TaskContext) {
    console.log('now waiting');
    const timer = setInterval(() => {}, 1000);
    await new Promise((resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true })).finally(() => clearInterval(timer));
  }
}
@Flow()
export class Stubborn {
  @Task() async wait() { console.log('now waiting'); await new Promise(() => setInterval(() => {}, 1000)); }
}`;

/** Its first task is counted by a file; the second dies with its process unless the file \`alive\` is there. */
export const dying = `
import { Flow, Task } from 'batuta';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
@Flow()
export class Dying {
  @Task() async once() { appendFileSync('count', 'x'); return 41; }
  @Task({ needs: ['once'] }) async dies(n: number) { if (!existsSync('alive')) execFileSync('kill', ['-9', String(process.pid)]); return n + 1; }
}`;

export const mapped = `
import { Flow, Task } from 'batuta';
@Flow({ description: 'squares' })
export class Mapped {
  @Task() async list() { return Array.from({ length: 200 }, (_, i) => i); }
  @Task({ each: 'list', retries: 2, retryDelay: '1s', backoff: 'exponential' }) async square(n: number) { return n * n; }
  @Task({ needs: ['square'], timeout: '1m' }) async sum(all: number[]) { return all.reduce((a, b) => a + b, 0); }
}`;

/** Prints by children, by the descriptor, and in ways that console does not route by `log`. */
export const children = `
import { execFileSync, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { Flow, Task } from 'batuta';
@Flow()
export class Children {
  @Task()
  async print(): Promise<string> {
    await new Promise((done) => spawn('echo', ['from spawn'], { stdio: 'inherit' }).on('close', done));
    await new Promise((done) => spawn('echo', ['from spawn too'], { stdio: ['ignore', process.stdout, 2] }).on('close', done));
    execFileSync('echo', ['from sync'], { stdio: 'inherit' });
    writeSync(1, 'by descriptor\\n');
    console.dir({ 'by dir': { deep: { er: 1 } } }, { depth: 0 });
    console.dir({ a: 'by dir: [Object]' });
    console.table([{ name: 'in a table' }]);
    setTimeout(() => console.log('late'), 0);
    return execFileSync('echo', ['captured'], { encoding: 'utf8' }).trim();
  }
}
`;
