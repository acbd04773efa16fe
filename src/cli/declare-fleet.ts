/** The processes of the fleet: worker, scheduler and server, and their health. */
import type { Command } from 'commander';
import { collect, type Perform } from './declare.ts';

const metricsPortText = 'serve metrics and health on this port of this computer, 0 for a free one (BATUTA_METRICS_PORT; default: none)';

/** Adds the commands. */
export function declareFleetCommands(program: Command, perform: Perform): void {
  program
    .command('dev')
    .description('server, scheduler and worker in one process; follows your files and deploys what batuta.config.ts declares')
    .option('--host <address>', 'address to listen on; any but this computer alone needs an API key (BATUTA_HOST; default: 127.0.0.1)')
    .option('--port <n>', 'port to listen on, 0 for a free one (BATUTA_PORT; default: 4200)')
    .option('--queue <name>', 'serve this queue first; may be repeated. Other queues are served as runs wait in them', collect, [])
    .option('--concurrency <n>', 'runs at the same time (BATUTA_CONCURRENCY; default: 16)')
    .option('--grace <duration>', 'how long runs may take to finish when it is told to end; the rest continues at the next start', '30s')
    .action(perform(async () => (await import('./commands/dev.ts')).dev));
  const worker = program
    .command('worker')
    .description('execute runs that were submitted, until it is told to end')
    .option('--queue <name>', 'serve this queue; may be repeated, those named first are served first (default: default)', collect, [])
    .option('--concurrency <n>', 'runs at the same time (BATUTA_CONCURRENCY; default: 16)')
    .option('--name <name>', 'name of the worker for people')
    .option('--metrics-port <n>', metricsPortText)
    .option('--grace <duration>', 'how long runs may take to finish when it is told to end; the rest is handed back', '30s')
    .action(perform(async () => (await import('./commands/fleet.ts')).serveAsWorker));
  worker
    .command('ls')
    .alias('list')
    .description('list the workers of the fleet')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/fleet.ts')).listWorkers));
  program
    .command('reporter')
    .description('programs elsewhere that report their runs to this server')
    .command('ls')
    .alias('list')
    .description('list the programs that report from elsewhere')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/reporters.ts')).listReporters));
  program
    .command('scheduler')
    .description(
      'make the runs of schedules and backfills, and look after runs of lost workers, lost tickets and old runs; any number may run',
    )
    .option('--metrics-port <n>', metricsPortText)
    .action(perform(async () => (await import('./commands/fleet.ts')).serveAsScheduler));
  program
    .command('server')
    .description('serve the API and the dashboard, until it is told to end')
    .option('--host <address>', 'address to listen on; any but this computer alone needs an API key (BATUTA_HOST; default: 127.0.0.1)')
    .option('--port <n>', 'port to listen on, 0 for a free one (BATUTA_PORT; default: 4200)')
    .action(perform(async () => (await import('./commands/fleet.ts')).serveAsServer));
  program
    .command('health')
    .description('tell by its file (BATUTA_HEALTH_FILE) whether the worker or scheduler of this host works')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/fleet.ts')).health));
}
