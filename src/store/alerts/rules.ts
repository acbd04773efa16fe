/** Rules of alerts, and silences, as they are stored. */
import { type AlertRule, isByEnds } from '../../model/alerts/rule.ts';
import type { Connection, Database } from '../connection.ts';
import { jsonText } from '../storable.ts';
import { columnsOf, insertText } from '../table.ts';
import type { EndPlace } from '../triggers/contract.ts';
import { endPlace, moveEndPlace, newestChange } from '../triggers/ends.ts';
import { forUpdate, selectAll, selectOne } from '../sql.ts';
import type { AlertRuleStore, SilenceStore } from './contract.ts';
import { newRuleTable, ruleTable, type RuleRow, silenceTable } from './tables.ts';

export const alertReader = 'alerts';

/** Lock for changes of alerts or their rules: one at a time. */
export async function lockAlerts(db: Database): Promise<EndPlace> {
  return await endPlace(db, alertReader, forUpdate(db));
}

/** See `AlertRuleStore`. */
export function alertRuleStore(connection: Connection): AlertRuleStore {
  const { query } = connection;
  const read = (rows: readonly RuleRow[]): AlertRule | null => (rows[0] === undefined ? null : ruleTable.read(rows[0]));
  return {
    put: (rule) => connection.transaction((db) => putRule(db, rule)),
    get: (name) => selectOne(connection, ruleTable, 'where name = $1', [name]),
    list: () => selectAll(connection, ruleTable, 'order by name'),
    async active() {
      const rows = await query<RuleRow & { readonly from_end: number; readonly looked_at: number | null }>(
        `select ${columnsOf(ruleTable)}, from_end, looked_at from alert_rules where paused_at is null order by name`,
      );
      return rows.map((row) => ({ ...ruleTable.read(row), fromEnd: row.from_end, lookedAt: row.looked_at }));
    },
    delete: (name, at) =>
      connection.transaction(async (db) => {
        await lockAlerts(db);
        const gone = await db.query('delete from alert_rules where name = $1 returning name', [name]);
        await db.query('delete from alert_causes where rule = $1', [name]);
        await endAlerts(db, name, at);
        return gone.length > 0;
      }),
    pause: (name, at) =>
      connection.transaction(async (db) => {
        await lockAlerts(db);
        if (at === null) await beginReading(db, name);
        // What happens while it is paused is not for it.
        const from = at === null ? `, from_end = ${await newestChange(db)}` : '';
        const rows = await db.query<RuleRow>(
          `update alert_rules set paused_at = $2, looked_at = null${from} where name = $1 returning ${ruleTable.list}`,
          [name, at],
        );
        if (at !== null) await endAlerts(db, name, at);
        return read(rows);
      }),
  };
}

async function putRule(db: Database, rule: AlertRule): Promise<AlertRule> {
  await lockAlerts(db);
  await beginReading(db, rule.name);
  const newest = await newestChange(db);
  const known = await selectOne(db, ruleTable, 'where name = $1', [rule.name]);
  const isSame = known !== null && jsonText(known.rule) === jsonText(rule.rule);
  const isPausedAlike = known !== null && (known.pausedAt === null) === (rule.pausedAt === null);
  if (known !== null && (!isSame || rule.pausedAt !== null)) await endAlerts(db, rule.name, rule.updatedAt);
  // An unchanged rule continues, and so does the time for which it has been watching.
  const goesOn = isSame && isPausedAlike;
  const isUnchanged =
    goesOn && known.description === rule.description && known.origin === rule.origin && known.declaredIn === rule.declaredIn;
  const rows = await db.query<RuleRow>(
    `${insertText(newRuleTable)}
     on conflict (name) do update set description = excluded.description, rule = excluded.rule, origin = excluded.origin,
       declared_in = excluded.declared_in, paused_at = excluded.paused_at, updated_at = excluded.updated_at, by_ends = excluded.by_ends${goesOn ? '' : ', from_end = excluded.from_end, looked_at = null'}
     returning ${ruleTable.list}`,
    newRuleTable.values({
      ...rule,
      updatedAt: isUnchanged ? known.updatedAt : rule.updatedAt,
      byEnds: isByEnds(rule.rule.condition),
      fromEnd: newest,
    }),
  );
  return rows[0] === undefined ? rule : ruleTable.read(rows[0]);
}

/** Ends are read while a rule in force needs them; for the first of these, reading begins at the newest. */
async function beginReading(db: Database, but: string): Promise<void> {
  const others = await db.query('select 1 as found from alert_rules where by_ends = 1 and paused_at is null and name <> $1 limit 1', [but]);
  if (others.length > 0) return;
  const own = await db.query('select 1 as found from alert_rules where by_ends = 1 and paused_at is null and name = $1', [but]);
  if (own.length > 0) return;
  const newest = await newestChange(db);
  await moveEndPlace(db, alertReader, { settled: newest, readTo: newest, mark: null, markNext: null, markAt: null });
}

async function endAlerts(db: Database, rule: string, at: number): Promise<void> {
  await db.query(`update alerts set state = 'resolved', resolved_at = $2 where rule = $1 and state <> 'resolved'`, [rule, at]);
}

/** See `SilenceStore`. */
export function silenceStore({ query }: Connection): SilenceStore {
  return {
    async add(silence) {
      await query(insertText(silenceTable), silenceTable.values(silence));
    },
    list: (now) => selectAll({ query }, silenceTable, 'where until_at > $1 order by until_at, id', [now]),
    async delete(id) {
      return (await query('delete from alert_silences where id = $1 returning id', [id])).length > 0;
    },
  };
}
