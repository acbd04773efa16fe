/** All runs, and all task runs, of a store with 1,000,000 runs into Parquet files: how much memory that takes, and how long. */
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { inFolder, runProcess } from './measure.js';

const mostMb = 300;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, store }) {
  const runs = Number(process.env.BATUTA_BENCH_EXPORT_RUNS ?? (quick ? 5_000 : 1_000_000));
  return inFolder(async (folder) => {
    const databaseUrl = store === 'sqlite' ? `sqlite:${join(folder, 'full.db')}` : process.env.BATUTA_BENCH_POSTGRES_URL;
    const seeded = lastLine(await runProcess(['scripts/seed.js', '--json', '--runs', String(runs), '--database-url', databaseUrl]));
    const ofRuns = await exported({ databaseUrl, path: join(folder, 'runs.parquet'), kind: 'runs', wanted: seeded.runs });
    const ofTasks = await exported({ databaseUrl, path: join(folder, 'task-runs.parquet'), kind: 'task-runs', wanted: seeded.taskRuns });
    return {
      title: `${seeded.runs.toLocaleString('en-US')} runs with ${seeded.taskRuns.toLocaleString('en-US')} task runs to Parquet`,
      figures: [
        { name: 'peakMb', label: 'memory, runs', value: ofRuns.peakMb, unit: 'MB', target: { atMost: mostMb } },
        { name: 'taskRunsPeakMb', label: 'memory, task runs', value: ofTasks.peakMb, unit: 'MB', target: { atMost: mostMb } },
        { name: 'seconds', label: 'time, runs', value: ofRuns.seconds, unit: 's' },
        { name: 'taskRunsSeconds', label: 'time, task runs', value: ofTasks.seconds, unit: 's' },
        { name: 'fileMb', label: 'file, runs', value: ofRuns.bytes / 1_048_576, unit: 'MB' },
      ],
    };
  });
}

/** Exports in a process of its own, and reads how many rows the file says it has. */
async function exported({ databaseUrl, path, kind, wanted }) {
  const report = lastLine(await runProcess(['bench/export-process.js', databaseUrl, path, kind]));
  const { num_rows: rows } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  if (Number(rows) !== wanted || report.rows !== wanted)
    throw new Error(`${wanted} ${kind} were to be exported, and the file has ${rows}.`);
  return report;
}

function lastLine({ stdout }) {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}
