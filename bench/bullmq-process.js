/**
 * A worker of bare BullMQ in a process of its own. Prints `instant first` as it begins with a job; where it is told how many
 * `jobs` a group has, only for the first of each group, and `instant last` once the last of it is completed.
 */
import { Worker } from 'bullmq';
import { connectionOf } from './bullmq.js';

const { backend, url, queue, concurrency, jobs } = JSON.parse(process.argv[2] ?? '{}');
let begun = 0;
let completed = 0;

const tell = (what) => process.stdout.write(`${process.hrtime.bigint()} ${what}\n`);
const work = async () => {
  if (jobs === null || begun % jobs === 0) tell('first');
  begun += 1;
};
const { connection, factory } = connectionOf(backend, url);
const worker = new Worker(queue, work, { connection, concurrency }, factory);
worker.on('error', (error) => console.error(error));
if (jobs !== null)
  worker.on('completed', () => {
    completed += 1;
    if (completed % jobs === 0) tell('last');
  });
await worker.waitUntilReady();
console.error('ready');
