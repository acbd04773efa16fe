/** What `batuta scheduler` starts. */
export { startScheduler as start } from './scheduler.ts';
