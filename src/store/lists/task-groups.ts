/** The task runs of a run by task: only what a picture of a very large run needs. */
import type { Connection } from '../connection.ts';
import { readProgress, readTexts } from '../read-json.ts';
import type { TaskGroup } from '../store.ts';

/** By task and state. What belongs to a single task run (its id and so on) is meaningful only if there is just one. */
const groupsText = `select name, state_name as state, count(*) as count, min(started_at) as started, max(ended_at) as ended,
    max(attempt) as attempts, max(id) as id, max(display_name) as label, max(child_run_id) as child, max(progress) as progress,
    sum(cpu_ms) as cpu, max(peak_bytes) as peak
  from task_runs where run_id = $1 group by name, state_name order by min(seq)`;

interface GroupRow {
  readonly name: string;
  readonly state: string;
  readonly count: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly attempts: number;
  readonly id: string;
  readonly label: string | null;
  readonly child: string | null;
  readonly progress: string | null;
  readonly cpu: number | string | null;
  readonly peak: number | null;
}

/** See `TaskRunStore.groupsOfRun`. */
export async function groupsOfRun({ query }: Connection, runId: string): Promise<readonly TaskGroup[]> {
  const groups = new Map<string, TaskGroup>();
  for (const row of await query<GroupRow>(groupsText, [runId])) {
    const known = groups.get(row.name);
    groups.set(row.name, {
      name: row.name,
      total: (known?.total ?? 0) + row.count,
      counts: { ...known?.counts, [row.state]: row.count },
      startedAt: least(known?.startedAt ?? null, row.started),
      endedAt: most(known?.endedAt ?? null, row.ended),
      attempts: Math.max(known?.attempts ?? 0, row.attempts),
      cpuMs: row.cpu === null ? (known?.cpuMs ?? null) : (known?.cpuMs ?? 0) + Number(row.cpu),
      peakBytes: most(known?.peakBytes ?? null, row.peak),
      single: known || row.count > 1 ? null : singleOf(row),
    });
  }
  return [...groups.values()];
}

function singleOf({ id, label, child, progress }: GroupRow): TaskGroup['single'] {
  return { id, displayName: label, childRunId: child, progress: readProgress(progress) };
}

function least(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

function most(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}

/** Rows read at once: SQLite reads within one turn of the event loop. */
const rowsAtOnce = 2_000;

const needsText = `select key, name, depends_on as needs from task_runs where run_id = $1 and key > $2 order by key limit ${rowsAtOnce}`;

/** See `TaskRunStore.givenByName`. */
export async function givenByName(
  { query }: Connection,
  runId: string,
): Promise<readonly { readonly from: string; readonly to: string }[]> {
  const nameOf = new Map<string, string>();
  const needsOf = new Map<string, Set<string>>();
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows: readonly { readonly key: string; readonly name: string; readonly needs: string | null }[] = await query(needsText, [
      runId,
      after,
    ]);
    for (const { key, name, needs } of rows) {
      nameOf.set(key, name);
      if (needs === null) continue;
      const known = needsOf.get(name) ?? new Set();
      for (const need of readTexts(needs)) known.add(need);
      needsOf.set(name, known);
    }
    after = rows.length === rowsAtOnce ? rows.at(-1)?.key : undefined;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return [...needsOf].flatMap(([to, keys]) => {
    const names = new Set([...keys].flatMap((key) => nameOf.get(key) ?? []));
    names.delete(to);
    return [...names].map((from) => ({ from, to }));
  });
}
