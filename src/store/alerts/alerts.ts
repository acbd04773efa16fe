/** Alerts as they are read and resolved. */
import type { Alert, AlertFiring, DeliveryAttempt, TriedDelivery } from '../../model/alerts/alert.ts';
import { idChars } from '../../model/ids.ts';
import type { AlertRule } from '../../model/alerts/rule.ts';
import type { Connection, Database } from '../connection.ts';
import { limitOf, pageOf, placeOf } from '../lists/cursor.ts';
import { clockOf, listed, listOf, Params, selectOne } from '../sql.ts';
import { columnsOf } from '../table.ts';
import { deliveriesOf, writeFirings } from './book.ts';
import type { ActiveAlertRule, AlertFilter, AlertStore } from './contract.ts';
import { decideAlerts, openBook } from './decide.ts';
import { alertOutbox } from './outbox.ts';
import { alertReader, alertRuleStore, lockAlerts, silenceStore } from './rules.ts';
import {
  alertTable,
  type AlertRow,
  attemptTable,
  type AttemptRow,
  deliveryTable,
  type DeliveryRow,
  firingOf,
  firingTable,
  type FiringRow,
  ruleTable,
} from './tables.ts';
import { alertWatch } from './watch.ts';

/** Occurrences are recognized for at least this long, ms. */
const knownMs = 86_400_000;

/** See `AlertStore`. */
export function alertStore(connection: Connection): AlertStore {
  const { query } = connection;
  const get = async (id: string): Promise<Alert | null> => {
    const rows = await rowsOf(connection, id);
    return rows[0] === undefined || rows.length > 1 ? null : alertTable.read(rows[0]);
  };
  return {
    rules: alertRuleStore(connection),
    watch: alertWatch(connection),
    outbox: alertOutbox(connection),
    silences: silenceStore(connection),
    decide: (step, makeId) => decideAlerts(connection, step, makeId),
    test: (rule, makeId) => connection.transaction((db) => testRule(db, rule, makeId)),
    list: (filter = {}) => listAlerts(connection, filter),
    get,
    async open() {
      const rows = await query<{ rule: string; state: Alert['state']; count: number }>(
        `select rule, state, count(*) as count from alerts where state <> 'resolved' group by rule, state order by rule`,
      );
      return rows.map((row) => ({ ...row, count: Number(row.count) }));
    },
    async firings(of, limit) {
      const [column, value] = 'alertId' in of ? ['alert_id', of.alertId] : ['rule', of.rule];
      const rows = await query<FiringRow>(
        `select ${firingTable.list} from alert_firings where ${column} = $1 order by at desc, id desc limit $2`,
        [value, limit],
      );
      const sent = await query<DeliveryRow>(
        `select ${columnsOf(deliveryTable)} from alert_deliveries where firing_id in ${listed(connection, 1)} order by seq`,
        [listOf(rows.map(({ id }) => id))],
      );
      const tried = await query<AttemptRow>(
        `select ${attemptTable.list} from alert_attempts where delivery_id in ${listed(connection, 1)} order by delivery_id, attempt`,
        [listOf(sent.map(({ id }) => id))],
      );
      const attempts = new Map<string, DeliveryAttempt[]>(sent.map(({ id }) => [id, []]));
      for (const { delivery_id: id, ...attempt } of tried) attempts.get(id)?.push(attempt);
      const deliveries = sent.map((row): TriedDelivery => ({ ...deliveryTable.read(row), lastAttempts: attempts.get(row.id) ?? [] }));
      return rows.map((row) => ({ ...firingOf(row), deliveries: deliveries.filter(({ firingId }) => firingId === row.id) }));
    },
    resolve: (id, who, makeId) =>
      connection.transaction(async (db) => {
        await lockAlerts(db);
        const [row, other] = await rowsOf(db, id);
        if (row === undefined || other !== undefined) return null;
        const alert = alertTable.read(row);
        if (alert.state === 'resolved') return alert;
        const rule = await selectOne(db, ruleTable, 'where name = $1', [alert.rule]);
        const rules = new Map<string, Pick<ActiveAlertRule, 'name' | 'description' | 'rule'>>(rule === null ? [] : [[rule.name, rule]]);
        const book = await openBook(db, { rules, now: await clockOf(db), makeId });
        const open = book.byId(alert.id);
        // Its rule is gone, and with it its receivers.
        if (open === undefined) return await endOne(db, alert, who);
        const resolved = book.resolve(open, who);
        await book.write(db);
        const { lastSeq: _seq, ...shown } = resolved;
        return shown;
      }),
    prune: (before) => connection.transaction((db) => pruneAlerts(db, before)),
  };
}

async function endOne(db: Database, { id }: Alert, who: string): Promise<Alert | null> {
  const [row] = await db.query<AlertRow>(
    `update alerts set state = 'resolved', resolved_at = coalesce(resolved_at, $2), resolved_by = coalesce(resolved_by, $3)
     where id = $1 returning ${alertTable.list}`,
    [id, await clockOf(db), who],
  );
  return row === undefined ? null : alertTable.read(row);
}

/** By the whole id, or by its end as people see it, at least 8 characters. */
async function rowsOf(db: Database, id: string): Promise<AlertRow[]> {
  if (!/^[0-9a-f-]{8,36}$/.test(id)) return [];
  const condition = id.length === idChars ? 'id = $1' : `id like '%' || $1`;
  return await db.query<AlertRow>(`select ${alertTable.list} from alerts where ${condition} limit 2`, [id]);
}

async function listAlerts(connection: Connection, { states, rule, limit: wanted, cursor }: AlertFilter): ReturnType<AlertStore['list']> {
  const limit = limitOf(wanted, 50, 1_000);
  const params = new Params();
  const conditions = ['true'];
  if (states !== undefined && states.length > 0)
    conditions.push(`state in ${listed(connection, Number(params.add(listOf(states)).slice(1)))}`);
  if (rule !== undefined) conditions.push(`rule = ${params.add(rule)}`);
  if (cursor !== undefined) {
    const { createdAt, id } = placeOf(cursor);
    conditions.push(`(last_at, id) < (${params.add(createdAt)}, ${params.add(id)})`);
  }
  const rows = await connection.query<AlertRow>(
    `select ${alertTable.list} from alerts where ${conditions.join(' and ')} order by last_at desc, id desc limit ${limit + 1}`,
    params.values,
  );
  return pageOf(rows, limit, alertTable.read, ({ last_at: createdAt, id }) => ({ createdAt, id }));
}

async function testRule(db: Database, { name, description, rule }: AlertRule, makeId: () => string): Promise<AlertFiring> {
  const now = await clockOf(db);
  const summary = 'This is a test; nothing has happened.';
  const firing: AlertFiring = {
    id: makeId(),
    alertId: null,
    rule: name,
    group: '',
    kind: 'test',
    at: now,
    summary,
    count: 0,
    silenced: false,
  };
  const actions = rule.actions.filter(({ kind }) => kind === 'webhook' || kind === 'slack' || kind === 'email');
  const alert = {
    ...{
      id: null,
      rule: name,
      group: '',
      kind: rule.condition.kind,
      state: 'firing' as const,
      summary,
      count: 0,
      firstAt: now,
      lastAt: now,
    },
    ...{ resolvedAt: null, resolvedBy: null, sentAt: now, runId: null, runName: null, flow: null, deployment: null },
  };
  await writeFirings(db, [firing], deliveriesOf({ alert, firing, actions, description }, makeId), now);
  return firing;
}

async function pruneAlerts(db: Database, before: number): Promise<void> {
  const over = `select id from alerts where state = 'resolved' and last_at < $1`;
  const firings = `select id from alert_firings where at < $1 and (alert_id is null or alert_id in (${over}))`;
  await db.query(`delete from alert_deliveries where state <> 'pending' and firing_id in (${firings})`, [before]);
  await db.query(
    `delete from alert_attempts where at < $1 and not exists (select 1 from alert_deliveries where alert_deliveries.id = alert_attempts.delivery_id)`,
    [before],
  );
  await db.query(
    `delete from alert_firings where id in (${firings}) and not exists (select 1 from alert_deliveries where alert_deliveries.firing_id = alert_firings.id)`,
    [before],
  );
  await db.query(
    `delete from alerts where id in (${over}) and not exists (select 1 from alert_firings where alert_firings.alert_id = alerts.id)`,
    [before],
  );
  await db.query('delete from alert_silences where until_at < $1', [before]);
  await db.query('delete from alert_receivers where next_at is null and lease_until is null');
  // An end that is not settled is read again, however old it is.
  const isRead =
    db.dialect === 'sqlite'
      ? ''
      : `and not exists (select 1 from transitions as change, end_places as place
           where place.reader = '${alertReader}' and change.run_id = alert_causes.subject and change.task_run_id is null and change.seq > place.settled)`;
  const known = Math.min(before, (await clockOf(db)) - knownMs);
  await db.query(`delete from alert_causes where at < $1 ${isRead}`, [known]);
}
