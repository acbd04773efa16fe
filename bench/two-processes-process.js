/** One of the two: runs many small flows, 32 at a time, and prints `{ ms, executed, messages }`. Started by `two-processes.js`. */
import { Flow, Task } from 'batuta';
import { withClient } from './engine.js';

const { folder, store, flow, name, runs } = JSON.parse(process.argv[2] ?? '{}');
const atOnce = 32;

/** What tasks were executed, by run and task; a pair that occurs twice was executed twice. */
const executed = [];
const messages = [];

class Small {
  first(ctx) {
    executed.push(`${ctx.run.id} first`);
    return 20;
  }
  second(value, ctx) {
    executed.push(`${ctx.run.id} second`);
    return value + 1;
  }
}
Task()(Small.prototype, 'first', Object.getOwnPropertyDescriptor(Small.prototype, 'first'));
Task({ needs: ['first'] })(Small.prototype, 'second', Object.getOwnPropertyDescriptor(Small.prototype, 'second'));
Flow({ name: flow })(Small);

await withClient({ folder, store }, async (client) => {
  const startedAt = performance.now();
  let next = 0;
  const runSome = async () => {
    while (next < runs) {
      next += 1;
      try {
        const handle = await client.submit(Small, {}, { name: `${name}-${next}` });
        const value = await handle.result();
        if (value !== 21) messages.push(`Run ${handle.id} gave ${value}.`);
      } catch (error) {
        messages.push(String(error.message));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runSome));
  console.log(JSON.stringify({ ms: performance.now() - startedAt, executed, messages }));
});
