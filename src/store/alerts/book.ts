/** The open alerts of a transaction: findings change them, and notifications are written with them. */
import {
  type Alert,
  type AlertFiring,
  type AlertFiringKind,
  type AlertSilence,
  messageOf,
  type PendingDelivery,
  silences as keepsQuiet,
} from '../../model/alerts/alert.ts';
import { type AlertAction, isLevel, receiverOf } from '../../model/alerts/rule.ts';
import type { Database } from '../connection.ts';
import { jsonText } from '../storable.ts';
import { insertListed, replacedBy } from '../table.ts';
import type { ActiveAlertRule, AlertLook, AlertOccurrence, AlertRecovery } from './contract.ts';
import { firingTable, pendingTable, storedAlertTable } from './tables.ts';

interface StoredAlert extends Alert {
  readonly lastSeq: number | null;
}

export interface BookParts {
  readonly rules: ReadonlyMap<string, Pick<ActiveAlertRule, 'name' | 'description' | 'rule'>>;
  /** Unresolved alerts of these rules. */
  readonly open: readonly StoredAlert[];
  /** Current silences. */
  readonly silences: readonly AlertSilence[];
  readonly now: number;
  readonly makeId: () => string;
}

interface FoundBefore {
  readonly isSeen?: boolean;
  readonly isNewlyHeld?: boolean;
}

export class AlertBook {
  readonly firings: AlertFiring[] = [];
  readonly #parts: BookParts;
  readonly #open: Map<string, StoredAlert>;
  readonly #changed = new Map<string, StoredAlert>();
  readonly #deliveries: PendingDelivery[] = [];

  constructor(parts: BookParts) {
    this.#parts = parts;
    this.#open = new Map(parts.open.map((alert) => [keyOf(alert), alert]));
  }

  /**
   * Begins an alert, or continues the open one.
   *
   * @param isSeen whether a check found this run before it ended: its end is not another occurrence, even if the alert is over already
   * @param isNewlyHeld whether no check has found this run before
   */
  found(one: AlertOccurrence, { isSeen = false, isNewlyHeld = false }: FoundBefore = {}): void {
    const rule = this.#parts.rules.get(one.rule)?.rule;
    if (rule === undefined) return;
    const known = this.#open.get(keyOf(one));
    if (isSeen && known?.runId !== one.runId) return;
    const { runId, runName, flow, deployment } = one;
    const about = { summary: one.summary, runId, runName, flow, deployment };
    // A condition that still holds is not another occurrence.
    const isCaused = one.cause !== null && !isSeen;
    const isNew = known === undefined || isCaused || known.runId !== runId || known.summary !== one.summary;
    const alert: StoredAlert =
      known === undefined
        ? {
            ...{ id: this.#parts.makeId(), rule: one.rule, group: one.group, kind: rule.condition.kind, state: 'firing' },
            ...about,
            ...{ count: 1, firstAt: one.at, lastAt: one.at, lastSeq: one.seq },
            ...{ resolvedAt: null, resolvedBy: null, sentAt: null },
          }
        : {
            ...known,
            ...about,
            count: known.count + (isCaused ? 1 : 0),
            lastAt: Math.max(known.lastAt, one.at),
            lastSeq: one.seq === null ? known.lastSeq : Math.max(known.lastSeq ?? 0, one.seq),
          };
    if (known === undefined) return this.#tell(alert, 'fired');
    if (alert.state === 'muted' || this.#isQuiet(alert)) return isNew ? this.#keep(alert) : undefined;
    // It was silenced when it began, and no longer is.
    if (alert.sentAt === null && rule.actions.length > 0) return this.#tell(alert, 'fired');
    const { repeatMs } = rule;
    const isDue = repeatMs !== null && alert.sentAt !== null && this.#parts.now - alert.sentAt >= repeatMs;
    if (isDue && (repeatMs > 0 || isCaused)) return this.#tell(alert, 'repeated');
    // Each run found is cancelled, not only the first: people were notified, the run was not.
    const cancels = isNewlyHeld ? rule.actions.filter(({ kind }) => kind === 'cancel') : [];
    if (cancels.length > 0) return this.#tell(alert, 'repeated', cancels);
    if (isNew) this.#keep(alert);
  }

  /** Ends alerts of a rule with a lasting condition for which nothing was found. */
  over({ rule, found, groups }: AlertLook): void {
    const holding = new Set(found.map(({ group }) => group));
    for (const alert of [...this.#open.values()])
      if (alert.rule === rule && !holding.has(alert.group) && (groups === null || groups.includes(alert.group))) this.resolve(alert, null);
  }

  /** Ends alerts found by earlier ends of runs. */
  recovered({ rule, group, seq, flow, deployment }: AlertRecovery): void {
    const alert = this.#open.get(keyOf({ rule, group }));
    if (alert === undefined || (alert.lastSeq ?? 0) >= seq) return;
    // If an alert gathers several, another one completing says nothing about the failed one.
    const gathers = this.#parts.rules.get(rule)?.rule.by !== 'deployment';
    if (gathers && (alert.flow !== flow || alert.deployment !== deployment)) return;
    this.resolve(alert, null);
  }

  /** @param who null: the condition is over */
  resolve(alert: StoredAlert, who: string | null): StoredAlert {
    const { now } = this.#parts;
    const isMuted = alert.state === 'muted';
    // A condition that holds would be found again at once; resolving twice accepts that.
    const state = who !== null && isLevel(alert) && !isMuted ? 'muted' : 'resolved';
    const ended: StoredAlert = { ...alert, state, resolvedAt: alert.resolvedAt ?? now, resolvedBy: alert.resolvedBy ?? who };
    const rule = this.#parts.rules.get(alert.rule)?.rule;
    const wasSent = alert.sentAt !== null || rule?.actions.length === 0;
    if (isMuted || rule?.sendsResolved !== true || !wasSent) this.#keep(ended);
    else this.#tell(ended, 'resolved');
    return ended;
  }

  byId(id: string): StoredAlert | undefined {
    return [...this.#open.values()].find((alert) => alert.id === id);
  }

  async write(db: Database): Promise<void> {
    const changed = [...this.#changed.values()];
    if (changed.length > 0)
      await db.query(
        `${insertListed(storedAlertTable, db.fragments, 1)} on conflict (id) do update set ${replacedBy(storedAlertTable, 'id', 'rule', 'grp', 'kind', 'first_at')}`,
        [jsonText(changed.map((alert) => storedAlertTable.values(alert)))],
      );
    await writeFirings(db, this.firings, this.#deliveries, this.#parts.now);
  }

  #isQuiet(alert: Alert): boolean {
    return this.#parts.silences.some((silence) => keepsQuiet(silence, alert, this.#parts.now));
  }

  #keep(alert: StoredAlert): void {
    this.#changed.set(alert.id, alert);
    if (alert.state === 'resolved') this.#open.delete(keyOf(alert));
    else this.#open.set(keyOf(alert), alert);
  }

  /** @param only these of its actions; when it was last sent to people stays */
  #tell(alert: StoredAlert, kind: AlertFiringKind, only?: readonly AlertAction[]): void {
    const { now, rules, makeId } = this.#parts;
    const standing = rules.get(alert.rule);
    const silenced = this.#isQuiet(alert);
    const firing: AlertFiring = {
      ...{ id: makeId(), alertId: alert.id, rule: alert.rule, group: alert.group, kind },
      ...{ at: now, summary: alert.summary, count: alert.count, silenced },
    };
    const wanted = only ?? standing?.rule.actions ?? [];
    const actions = silenced ? [] : wanted.filter((action) => kind !== 'resolved' || tellsPeople(action));
    this.firings.push(firing);
    this.#deliveries.push(...deliveriesOf({ alert, firing, actions, description: standing?.description ?? null }, makeId));
    this.#keep({ ...alert, sentAt: silenced || actions.length === 0 || only !== undefined ? alert.sentAt : now });
  }
}

/** A delivery for each action of a firing. */
export function deliveriesOf(
  {
    alert,
    firing,
    actions,
    description,
  }: {
    readonly alert: Omit<Alert, 'id'> & { readonly id: string | null };
    readonly firing: AlertFiring;
    readonly actions: readonly AlertAction[];
    readonly description: string | null;
  },
  makeId: () => string,
): readonly PendingDelivery[] {
  const message = messageOf(alert, firing, description);
  return actions.map((action) => ({
    ...{ id: makeId(), firingId: firing.id, rule: firing.rule, kind: action.kind, receiver: receiverOf(action), state: 'pending' },
    ...{ attempts: 0, createdAt: firing.at, triedAt: null, sentAt: null, answer: null, action, message },
  }));
}

/** Firings with their deliveries, which are due at once unless their receiver is backing off. */
export async function writeFirings(
  db: Database,
  firings: readonly AlertFiring[],
  deliveries: readonly PendingDelivery[],
  now: number,
): Promise<void> {
  if (firings.length > 0)
    await db.query(insertListed(firingTable, db.fragments, 1), [jsonText(firings.map((firing) => firingTable.values(firing)))]);
  if (deliveries.length === 0) return;
  await db.query(insertListed(pendingTable, db.fragments, 1), [jsonText(deliveries.map((delivery) => pendingTable.values(delivery)))]);
  const receivers = [...new Set(deliveries.map(({ receiver }) => receiver))].sort();
  await db.query(
    `insert into alert_receivers (receiver, epoch, next_at, failures) select receiver, 0, cast($2 as bigint), 0 from ${db.fragments.list(1, { receiver: 'text' })} as given
     where true on conflict (receiver) do update set next_at = coalesce(alert_receivers.next_at, excluded.next_at)`,
    [jsonText(receivers.map((receiver) => [receiver])), now],
  );
}

function tellsPeople({ kind }: AlertAction): boolean {
  return kind === 'webhook' || kind === 'slack' || kind === 'email';
}

function keyOf({ rule, group }: { readonly rule: string; readonly group: string }): string {
  return jsonText([rule, group]);
}
