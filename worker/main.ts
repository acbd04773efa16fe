/** What `batuta worker` starts. */
export { startWorker as start } from './worker.ts';
