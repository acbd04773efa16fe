/** How soon a run goes on elsewhere when its worker is killed, or frozen so that only its lease tells, and whether anything recorded runs again. */
import { nextLine, withFleet } from './fleet.js';
import { inFolder, median, repeat } from './measure.js';
import { withServices } from './services.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs }) {
  const leaseMs = quick ? 2_000 : 5_000;
  const times = quick ? 1 : Math.min(runs, 5);
  const env = { BATUTA_LEASE: `${leaseMs}ms`, BATUTA_HEARTBEAT: `${leaseMs / 3}ms`, BATUTA_MAX_RECOVERIES: '100' };
  const samples = await inFolder((folder) =>
    withServices((urls) =>
      withFleet({ folder, ...urls, env }, async ({ client, start }) => {
        await start('scheduler');
        const measure = (signal) => measureOnce({ client, start, signal });
        return repeat({ times }, async () => ({ killed: await measure('SIGKILL'), frozen: await measure('SIGSTOP') }));
      }),
    ),
  );
  const all = samples.flatMap(({ killed, frozen }) => [killed, frozen]);
  const atMost = (leaseMs + 1_000) / 1_000;
  if (all.some(({ recorded }) => recorded < 9)) throw new Error('A worker was lost before it had recorded anything; nothing was shown.');
  return {
    title: `A run whose worker is lost, with a lease of ${leaseMs / 1_000} s, a scheduler and one other worker, median of ${times}`,
    figures: [
      {
        name: 'killedSeconds',
        label: 'after kill -9, goes on after',
        value: median(samples.map(({ killed }) => killed.seconds)),
        unit: 's',
        target: { atMost },
      },
      {
        name: 'frozenSeconds',
        label: 'after SIGSTOP, when the lease is over',
        value: median(samples.map(({ frozen }) => frozen.seconds)),
        unit: 's',
        target: { atMost },
      },
      {
        name: 'longestSeconds',
        label: 'longest of all',
        value: Math.max(...all.map(({ seconds }) => seconds)),
        unit: 's',
        target: { atMost },
      },
      {
        name: 'again',
        label: 'recorded tasks executed again',
        value: Math.max(...all.map(({ again }) => again)),
        unit: 'tasks',
        target: { atMost: 0 },
      },
      {
        name: 'missing',
        label: 'runs not completed',
        value: all.filter(({ completed }) => !completed).length,
        unit: 'runs',
        target: { atMost: 0 },
      },
    ],
  };
}

/** Together they last longer than a worker takes to start, on a busy machine too. */
const steps = { steps: 100, ms: 50 };

/** One run of many steps; its worker is lost in the middle of them, and one that was started meanwhile goes on. */
async function measureOnce({ client, start, signal }) {
  const first = await start('worker');
  const begun = nextLine([first], ([, , step]) => step === '10');
  const handle = await client.enqueue('steps', steps);
  const [heir] = await Promise.all([start('worker'), begun]);
  const executed = [];
  const forget = heir.onLine((line) => executed.push(line.split(' ')));
  const goesOn = nextLine([heir], ([, run]) => run === handle.id);
  const lostAt = process.hrtime.bigint();
  first.signal(signal);
  const ended = handle.done();
  const wentOn = await Promise.race([goesOn, ended.then(() => null)]);
  if (wentOn === null) throw new Error('The run had ended before its worker was lost; nothing was shown.');
  const [wentOnAt] = wentOn;
  const run = await ended;
  forget();
  await Promise.all([first.end(), heir.end()]);
  const { taskRuns, transitions } = await client.runs.inspect(handle.id);
  const isRecorded = ({ id }) =>
    transitions.some(({ taskRunId, type, owner }) => taskRunId === id && type === 'COMPLETED' && owner.includes(`:${first.pid}:`));
  const recorded = taskRuns.filter(isRecorded).map(({ index }) => String(index));
  return {
    seconds: Number(BigInt(wentOnAt) - lostAt) / 1e9,
    again: executed.filter(([, id, step]) => id === run.id && recorded.includes(step)).length,
    recorded: recorded.length,
    completed: run.state.type === 'COMPLETED',
  };
}
