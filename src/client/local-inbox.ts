/** The inbox as the local client serves it. */
import type { Clock } from '../base/clock.ts';
import { parseDuration } from '../base/duration.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { encodeValue } from '../engine/values/results.ts';
import { refuseSecrets } from '../engine/values/refuse-secrets.ts';
import { hidesValues } from '../base/hidden-values.ts';
import { programName } from '../base/program-name.ts';
import type { DecisionLink, ListedInboxItem } from '../model/inbox.ts';
import { checkFilter } from '../model/list-filters.ts';
import type { Run } from '../model/run.ts';
import { readText } from '../model/values.ts';
import type { InboxPageFilter, Page, Store } from '../store/store.ts';
import { checkDecision } from './check-decision.ts';
import type { DecisionLinks } from './decision-links.ts';
import type { Decider, InboxClient, InboxEntry, InboxLinkOptions } from './inbox-client.ts';
import type { WireValue } from './wire.ts';

const weekMs = 7 * 86_400_000;
const here: Decider = { by: 'local', via: 'client' };

export interface LocalInboxOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  /** Makes and reads links to decide; undefined: none. */
  readonly links: DecisionLinks | undefined;
  readonly runs: { get(id: string): Promise<Run> };
  /** Has workers continue runs. */
  readonly wake: (runIds: readonly string[]) => Promise<void>;
}

export class LocalInbox implements InboxClient {
  readonly #options: LocalInboxOptions;

  constructor(options: LocalInboxOptions) {
    this.#options = options;
  }

  async list(filter: InboxPageFilter = {}): Promise<Page<InboxEntry>> {
    checkFilter('decisions', filter);
    const { store, runs } = this.#options;
    const runId = filter.runId === undefined ? {} : { runId: (await runs.get(filter.runId)).id };
    const { items, next } = await store.inbox.list({ ...filter, ...runId });
    return { items: items.map(listedEntryOf), next };
  }

  async get(id: string): Promise<InboxEntry> {
    return entryOf(await this.#find(id));
  }

  async decide(id: string, value: unknown, decider: Decider = here): Promise<InboxEntry> {
    const item = await this.#find(id);
    return this.#decide(item, await this.#encoded(item, value), decider);
  }

  async link(id: string, value: unknown, { for: person, expires }: InboxLinkOptions = {}): Promise<string> {
    const item = await this.#find(id);
    const text = await this.#encoded(item, value);
    if (item.status !== 'open') throw refused(item);
    const until = this.#options.clock.now() + (expires === undefined ? weekMs : parseDuration(expires));
    const expiresAt = item.dueAt === null ? until : Math.min(until, item.dueAt);
    return this.#links.linkTo({ itemId: item.id, value: text, for: person ?? null, expiresAt });
  }

  /**
   * The target of a link, unless it may not be used.
   *
   * @param who name of the one who opened it; null: nobody is logged in
   * @throws BatutaError DECISION_LINK_INVALID; DECISION_LINK_EXPIRED; DECISION_LINK_NOT_YOURS; DECISION_REFUSED once it was decided;
   *   INBOX_ITEM_NOT_FOUND
   */
  async openLink(token: string, who: string | null): Promise<{ readonly link: DecisionLink; readonly item: InboxEntry }> {
    const link = this.#links.read(token);
    const item = await this.#find(link.itemId);
    if (item.status !== 'open') throw refused(item);
    if (link.expiresAt <= this.#options.clock.now())
      throw new BatutaError('DECISION_LINK_EXPIRED', `This link has expired. '${item.title}' may still be decided in the dashboard.`, {
        details: { item: item.id },
      });
    if (link.for !== null && link.for !== who) {
      const you = who === null ? 'you are not logged in' : `you are logged in as ${who}`;
      throw new BatutaError('DECISION_LINK_NOT_YOURS', `This link is for ${link.for} alone, and ${you}.`, { details: { item: item.id } });
    }
    return { link, item: entryOf(item) };
  }

  /** Decides as in the link. @throws as `openLink`; BatutaError DECISION_INVALID for an answer of `notify` that does not fit */
  async decideByLink(token: string, who: string | null): Promise<InboxEntry> {
    const { link } = await this.openLink(token, who);
    const item = await this.#find(link.itemId);
    await checkDecision(item, (JSON.parse(link.value) as WireValue).json);
    return this.#decide(item, link.value, { by: who ?? 'a link', via: 'link' });
  }

  get #links(): DecisionLinks {
    if (this.#options.links) return this.#options.links;
    throw new BatutaError('SECRET_KEY_MISSING', 'This client has no settings and therefore no key to sign links.');
  }

  async #decide(item: ListedInboxItem, value: string, { by, via }: Decider): Promise<InboxEntry> {
    const { store, clock, wake } = this.#options;
    const outcome = await store.inbox.decide(item.id, { value, by, via, at: clock.now() });
    if (outcome === null) throw notFound(item.id);
    if (!outcome.isDecided) throw refused(outcome.item);
    if (outcome.woken.length > 0) await wake(outcome.woken);
    return entryOf(outcome.item);
  }

  async #encoded(item: ListedInboxItem, value: unknown): Promise<string> {
    const text = encodeValue(value, `decision ${item.name}`) ?? '{"json":null}';
    if (hidesValues()) refuseSecrets(text, `decision ${item.name}`);
    await checkDecision(item, (JSON.parse(text) as WireValue).json);
    return text;
  }

  async #find(id: string): Promise<ListedInboxItem> {
    const { store, runs } = this.#options;
    const item = await store.inbox.get(id);
    if (item) return item;
    const run = await runs.get(id).catch((error: unknown) => {
      throw isBatutaError(error, 'RUN_NOT_FOUND') ? notFound(id) : error;
    });
    const { items } = await store.inbox.list({ runId: run.id, limit: 2 });
    const [first, second] = items;
    if (first !== undefined && second === undefined) return first;
    const why = first === undefined ? 'waits for no decision' : 'waits for several decisions; give the id of one';
    throw new BatutaError('INBOX_ITEM_NOT_FOUND', `Run ${run.id} ${why}. ${programName()} inbox ls lists them.`, { details: { item: id } });
  }
}

/** @throws BatutaError PAYLOAD_UNREADABLE */
function entryOf({ value, ...item }: ListedInboxItem): InboxEntry {
  return { ...item, data: value === null ? null : (readText(value) as WireValue) };
}

/** An unreadable answer must not hide the others. */
function listedEntryOf(item: ListedInboxItem): InboxEntry {
  try {
    return entryOf(item);
  } catch {
    return entryOf({ ...item, value: null });
  }
}

function notFound(id: string): BatutaError {
  return new BatutaError('INBOX_ITEM_NOT_FOUND', `There is no decision ${id}. ${programName()} inbox ls lists those that are open.`, {
    details: { item: id },
  });
}

function refused({ id, title, status, decidedBy, decidedAt }: ListedInboxItem): BatutaError {
  const at = decidedAt === null ? '' : ` at ${new Date(decidedAt).toISOString()}`;
  const why = {
    decided: `was decided already, by ${decidedBy ?? 'somebody'}${at}`,
    expired: `can no longer be decided: its time was over${at}`,
    withdrawn: 'can no longer be decided: its run has ended',
    open: 'can no longer be decided: its time is over',
  }[status];
  return new BatutaError('DECISION_REFUSED', `'${title}' ${why}.`, { details: { item: id, status, decidedBy } });
}
