/**
 * A process that writes runs into a store: arguments URL, RUNS, TASKS.
 *
 * Prints `run/task` as soon as the store has promised that the task is recorded, by a write that no kill can hold back.
 */
import { writeSync } from 'node:fs';
import { stateOf } from '../../../src/model/state.ts';
import { openStore } from '../../../src/store/open.ts';
import { endRun, startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';

const [url = '', runs = '1', tasks = '1'] = process.argv.slice(2);

const store = await openStore({ url });
for (let run = 0; run < Number(runs); run += 1) {
  const claim = await startRun(store);
  for (let index = 0; index < Number(tasks); index += 1) {
    const running = taskRun(claim.runId, `task[${index}]`, { index });
    const completed = { ...running, state: stateOf('COMPLETED'), result: '1' };
    void store.recorder.addTaskRun(claim, running, transitionOf(running));
    await store.recorder.addTaskRun(claim, completed, transitionOf(completed));
    writeSync(1, `${claim.runId}/${running.key}\n`);
  }
  await endRun(store, claim);
}
await store.close();
