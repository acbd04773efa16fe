/** What the passes of schedulers and workers read of a store in which very many runs only wait, over both makers: by plan and by count. */
import Database from 'libsql';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import { assembleStore } from '../../../src/store/assemble.ts';
import type { Connection, Database as Db, Query } from '../../../src/store/connection.ts';
import { openPostgres } from '../../../src/store/postgres/connection.ts';
import { openSqlite } from '../../../src/store/sqlite/connection.ts';
import type { Store } from '../../../src/store/store.ts';
import { runTable } from '../../../src/store/tables.ts';
import { claimRuns, declareLimit, insertLimited, limited } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun, startRun } from './rows.ts';
import { claimTicks, deploy, hourMs, now } from './ticking.ts';

/** Of each kind. */
const manyRuns = 20_000;
const lookMs = 10_000;
const farMs = 365 * 24 * hourMs;

interface Pass {
  readonly name: string;
  /** Indexes of runs that its statements name in their plans. */
  readonly indexes: readonly string[];
  readonly step: (store: Store) => Promise<unknown>;
}

const passes: readonly Pass[] = [
  {
    name: 'reissue',
    indexes: ['runs_waiting'],
    step: (store) => store.fleet.dueUnticketed({ ticketedBeforeMs: lookMs, limit: 1_000 }),
  },
  {
    name: 'reclaim',
    indexes: ['runs_owned', 'runs_state'],
    step: (store) => store.fleet.reclaim({ limit: 1_000, maxRecoveries: 3, goneOwners: [] }),
  },
  {
    name: 'orphans',
    indexes: ['runs_open_children'],
    step: (store) => store.fleet.orphans({ after: null, graceMs: lookMs, limit: 1_000 }),
  },
  { name: 'parked', indexes: ['runs_parked'], step: (store) => store.pins.parked() },
  { name: 'parked for nothing', indexes: ['runs_parked_by'], step: (store) => store.pins.unparkVoid(1_000) },
  { name: 'the look for owners', indexes: ['runs_owned'], step: (store) => store.fleet.owners() },
  { name: 'mark late', indexes: ['runs_not_late'], step: (store) => store.ticks.markLate({ lateAfterMs: 15_000, limit: 1_000 }) },
  { name: 'materialise', indexes: [], step: (store) => claimTicks(store) },
  { name: 'the next turn', indexes: [], step: (store) => store.ticks.nextTurn({ lookAheadMs: 1_000, withinMs: 5_000 }) },
  { name: 'overlap', indexes: ['runs_held'], step: (store) => store.ticks.release(null) },
  { name: 'overtaken', indexes: ['runs_held'], step: (store) => store.ticks.overtaken() },
  {
    name: 'limits',
    indexes: ['runs_slot_awaited', 'runs_slot_held'],
    step: (store) => store.limits.nextRuns({ key: null, ticketedBeforeMs: lookMs }),
  },
  { name: 'task slots', indexes: [], step: (store) => store.limits.sweepSlots() },
  { name: 'hooks', indexes: [], step: (store) => store.fleet.hooksUnticketed({ ticketedBeforeMs: lookMs, limit: 1_000 }) },
  { name: 'reissue of tasks', indexes: [], step: (store) => store.spread.dueUnticketed({ ticketedBeforeMs: lookMs, limit: 1_000 }) },
  { name: 'reclaim of tasks', indexes: [], step: (store) => store.spread.reclaim({ limit: 1_000, maxRecoveries: 3, goneOwners: [] }) },
  { name: 'backfills', indexes: [], step: (store) => store.backfills.open(100) },
  { name: 'rollup', indexes: ['runs_ended', 'runs_created'], step: (store) => store.figures.rollUp() },
  { name: 'retention', indexes: ['runs_ended'], step: (store) => store.expire({ now: now(), keepMs: hourMs }) },
];

interface Looked {
  /** Rows of a scan (PostgreSQL), steps of the virtual machine (SQLite). */
  readonly touched: number;
  readonly plans: readonly string[];
}

interface Asked {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** A connection that tells its statements. */
function telling(connection: Connection, told: (asked: Asked) => void): Connection {
  const around =
    (query: Query): Query =>
    (text, params = []) => {
      if (/^\s*(select|with|update|delete|insert)\b/i.test(text)) told({ text, params });
      return query(text, params);
    };
  return new Proxy(connection, {
    get(target, name) {
      if (name === 'query' || name === 'prepared') return around(target[name]);
      if (name === 'transaction')
        return <T>(work: (db: Db) => Promise<T>) => target.transaction((db) => work({ ...db, query: around(db.query) }));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Node[];
}

/** The nodes of a plan that read rows of a table. */
function scansOf(node: Node): Node[] {
  const below = (node.Plans ?? []).flatMap(scansOf);
  return /Scan/.test(node['Node Type']) && (node['Relation Name'] ?? node['Index Name']) !== undefined ? [node, ...below] : below;
}

function rowsOf(node: Node): number {
  return (
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * node['Actual Loops']
  );
}

describe.each(makers)('the passes on $name', (maker) => {
  let here: Place;
  let store: Store;
  let connection: Connection;
  /** Due for so long that it is late, and without a ticket. */
  const dueRun = newRun({ state: stateOf('SCHEDULED'), dueAt: now() - 60_000 });
  const waiting = makeId();
  const before = new Map<string, Looked>();
  const after = new Map<string, Looked>();

  beforeAll(async () => {
    here = await maker.makePlace();
    store = await here.open();
    connection =
      maker.name === 'sqlite'
        ? await openSqlite(here.url.slice('sqlite:'.length), { clock: systemClock, busyTimeoutMs: 60_000 })
        : await openPostgres(here.url, { reconnectTimeoutMs: 15_000, connections: 3 });
    await deploy(store, 'nightly', now() + hourMs);
    await startRun(store);
    await store.fleet.insertMany([{ run: dueRun, idempotencyKey: null }]);
    // One holds its slot, one waits, and a slot has become free.
    await declareLimit(store, { limit: 1 });
    await claimRuns(store, await insertLimited(store));
    await store.fleet.insertMany([{ run: limited({ id: waiting }), idempotencyKey: null }]);
    await claimRuns(store, waiting);
    await declareLimit(store, { limit: 2 });
    if (maker.name === 'postgres') await connection.query('analyze');
    for (const pass of passes) before.set(pass.name, await lookAt(pass));
    await fill();
    for (const pass of passes) after.set(pass.name, await lookAt(pass));
  }, 180_000);

  afterAll(async () => {
    await connection.close();
    await here.remove();
  });

  test.each(passes)('the pass of $name reads no more rows among 20,000 suspended and 20,000 future runs than among none', ({ name }) => {
    // A few more, for a search through more pages.
    expect(after.get(name)?.touched).toBeLessThanOrEqual((before.get(name)?.touched ?? 0) + 20);
  });

  test.each(passes)('the pass of $name finds runs by its index, and never reads them all', ({ name, indexes }) => {
    const plans = after.get(name)?.plans.join('\n') ?? '';
    for (const index of indexes) expect(plans).toContain(index);
    expect(plans).not.toMatch(/SCAN (runs|earlier|waiting|old|parent)(?! USING)/);
    expect(plans).not.toMatch(/Seq Scan runs/);
  });

  async function lookAt({ step }: Pass): Promise<Looked> {
    const asked: Asked[] = [];
    // Once before, to have what it changes changed and its statements prepared.
    await step(assembleStore(connection, { onError: undefined }));
    await makeDue();
    const stepsBefore = maker.name === 'sqlite' ? await stepsSoFar() : 0;
    await step(
      assembleStore(
        telling(connection, (statement) => asked.push(statement)),
        { onError: undefined },
      ),
    );
    if (maker.name === 'sqlite') {
      const touched = (await stepsSoFar()) - stepsBefore;
      const database = new Database(here.url.slice('sqlite:'.length));
      const plans = asked.flatMap(({ text }) =>
        database
          .prepare(`explain query plan ${text.replaceAll(/\$(\d+)/g, '?$1')}`)
          .all()
          .map((row) => (row as { detail: string }).detail),
      );
      database.close();
      return { touched, plans };
    }
    const client = new pg.Client({ connectionString: here.url });
    await client.connect();
    await makeDue();
    try {
      const plans: string[] = [];
      let touched = 0;
      for (const { text, params } of asked) {
        await client.query('begin');
        const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`explain (analyze, format json) ${text}`, [...params]);
        await client.query('rollback');
        for (const node of rows.flatMap((row) => scansOf(row['QUERY PLAN'][0].Plan))) {
          plans.push(`${node['Node Type']} ${node['Relation Name'] ?? ''} ${node['Index Name'] ?? ''}`);
          touched += rowsOf(node);
        }
      }
      return { touched, plans };
    } finally {
      await client.end();
    }
  }

  /** As it was before a pass met it. */
  async function makeDue(): Promise<void> {
    await connection.query(`update runs set ticketed_at = 0, state_name = 'Scheduled' where id = $1`, [dueRun.id]);
  }

  /** Instructions that the virtual machine of SQLite has executed for the statements of the store. */
  async function stepsSoFar(): Promise<number> {
    const [row] = await connection.query<{ steps: number }>(
      `select coalesce(sum(nstep), 0) as steps from sqlite_stmt where sql not like '%sqlite_stmt%'`,
    );
    return row?.steps ?? 0;
  }

  /** Runs that wait for a signal, sleep, are of next year, or wait for a slot; all of them ticketed long ago. */
  async function fill(): Promise<void> {
    const longAgo = now() - 30 * 24 * hourMs;
    const kinds = [
      newRun({ state: stateOf('PAUSED', 'Suspended'), createdAt: longAgo }),
      newRun({ state: stateOf('PAUSED', 'Suspended'), createdAt: longAgo, dueAt: now() + farMs }),
      newRun({ state: stateOf('SCHEDULED'), createdAt: longAgo, dueAt: now() + farMs }),
    ];
    await store.fleet.insertMany(kinds.map((run) => ({ run, idempotencyKey: null })));
    await connection.query('update runs set ticketed_at = 0 where owner is null');
    for (const id of [...kinds.map(({ id }) => id), waiting]) {
      const columns = [...runTable.columns, 'ticketed_at', 'slot_since'];
      const copied = columns.map((column) => (column === 'id' ? `runs.id || '-' || numbers.n` : `runs.${column}`)).join(', ');
      await connection.query(
        `insert into runs (${columns.join(', ')})
         with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${manyRuns})
         select ${copied} from runs cross join numbers where runs.id = $1`,
        [id],
      );
    }
    if (maker.name === 'postgres') await connection.query('analyze');
  }
});
