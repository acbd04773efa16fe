/**
 * The floor under every durable engine on SQLite: the same rows, written by hand with nothing around them.
 *
 * A flush is one transaction with one multi-row upsert of task runs and one multi-row insert of their transitions, through
 * statements that were prepared once.
 */
import { join } from 'node:path';
import Database from 'libsql';

/** Rows of one statement; more than this gains nothing and meets SQLite's limit of bound values. */
const rowsPerStatement = 500;

/**
 * Milliseconds that recording takes.
 *
 * @param {string} folder where the database is put
 * @param {{ tasks: number, tasksPerFlush: number }} shape
 */
export function recordBare(folder, { tasks, tasksPerFlush }) {
  const db = new Database(join(folder, `bare-${process.hrtime.bigint()}.db`));
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    db.exec(`
      CREATE TABLE task_runs (id TEXT PRIMARY KEY, run_id TEXT, name TEXT, key TEXT, state TEXT, attempt INT, started_at INT, ended_at INT, result TEXT, UNIQUE (run_id, key));
      CREATE TABLE transitions (seq INTEGER PRIMARY KEY, run_id TEXT, task_run_id TEXT, at INT, type TEXT, name TEXT, attempt INT);
      CREATE INDEX transitions_run ON transitions (run_id);`);
    const prepared = new Map();
    const startedAt = performance.now();
    for (let from = 0; from < tasks; from += tasksPerFlush) {
      db.prepare('BEGIN IMMEDIATE').run();
      for (let at = from; at < Math.min(from + tasksPerFlush, tasks); at += rowsPerStatement) {
        writeRows(db, prepared, at, Math.min(rowsPerStatement, from + tasksPerFlush - at, tasks - at));
      }
      db.prepare('COMMIT').run();
    }
    return performance.now() - startedAt;
  } finally {
    db.close();
  }
}

function writeRows(db, prepared, from, count) {
  if (!prepared.has(count)) {
    const rows = (row, times) => Array.from({ length: times }, () => row).join(', ');
    prepared.set(count, {
      upsert: db.prepare(
        `INSERT INTO task_runs VALUES ${rows('(?, ?, ?, ?, ?, ?, ?, ?, ?)', count)} ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, result = excluded.result`,
      ),
      log: db.prepare(
        `INSERT INTO transitions (run_id, task_run_id, at, type, name, attempt) VALUES ${rows('(?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?)', count)}`,
      ),
    });
  }
  const { upsert, log } = prepared.get(count);
  const taskRuns = [];
  const transitions = [];
  for (let at = from; at < from + count; at++) {
    const id = `0198c0de-0000-7000-8000-${String(at).padStart(12, '0')}`;
    const now = Date.now();
    taskRuns.push(id, 'run', 'touch', `touch[${at}]`, 'Completed', 1, now, now, String(at));
    transitions.push('run', id, now, 'RUNNING', 'Running', 1, 'run', id, now, 'COMPLETED', 'Completed', 1);
  }
  upsert.run(...taskRuns);
  log.run(...transitions);
}
