/** Two processes that submit and run small flows on one SQLite file at the same time: fast, and nothing lost, doubled or locked out. */
import { withClient } from './engine.js';
import { inFolder, inOwnProcess, median, repeat } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const runsEach = quick ? 20 : 5_000;
  const times = quick ? 1 : Math.min(runs, 5);
  const samples = await repeat({ times }, (round) => measureOnce({ runsEach, store, flow: `small-${process.pid}-${round}` }));
  const worst = (name) => Math.max(...samples.map((sample) => sample[name]));
  return {
    title: `Two processes with ${runsEach.toLocaleString('en-US')} small runs each on one database, median of ${times}`,
    figures: [
      { name: 'runsPerSecond', label: 'runs a second, both together', value: median(samples.map((it) => it.runsPerSecond)), unit: 'runs' },
      { name: 'missing', label: 'runs not completed', value: worst('missing'), unit: 'runs', target: { atMost: 0 } },
      { name: 'doubled', label: 'tasks executed twice', value: worst('doubled'), unit: 'tasks', target: { atMost: 0 } },
      { name: 'errors', label: 'errors, of locks or others', value: worst('errors'), unit: 'errors', target: { atMost: 0 } },
    ],
    notes: samples.flatMap(({ messages }) => messages).slice(0, 5),
  };
}

/** @param {{ runsEach: number, store: string, flow: string }} sample `flow` is a new name each time: on a server the samples share a database */
function measureOnce({ runsEach, store, flow }) {
  return inFolder(async (folder) => {
    const ended = await Promise.all(
      ['a', 'b'].map((name) => inOwnProcess('two-processes-process.js', { folder, store, flow, name, runs: runsEach })),
    );
    const executed = ended.flatMap((it) => it.executed);
    const completed = await countCompleted({ folder, store, flow });
    return {
      // Both start at nearly the same moment; the clock runs until the slower one is done.
      runsPerSecond: (2 * runsEach) / (Math.max(...ended.map(({ ms }) => ms)) / 1_000),
      missing: 2 * runsEach - completed,
      doubled: executed.length - new Set(executed).size,
      errors: ended.reduce((sum, { messages }) => sum + messages.length, 0),
      messages: ended.flatMap(({ messages }) => messages),
    };
  });
}

/** Counts what a third process finds in the database, not what the two say of themselves. */
function countCompleted({ folder, store, flow }) {
  return withClient({ folder, store }, async (client) => {
    let count = 0;
    for (let cursor; ; ) {
      const page = await client.runs.list({ flow, states: ['Completed'], limit: 1_000, ...(cursor ? { cursor } : {}) });
      count += page.items.length;
      if (page.next === null) return count;
      cursor = page.next;
    }
  });
}
