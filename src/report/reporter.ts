/**
 * Reports what happens in an embedded store to a server.
 *
 * Owned by the client that executes runs. Two loops: one moves changes to the outbox on disk, the other sends the outbox, oldest first, and
 * removes items once the server has confirmed them. If several processes share a store, one reports at a time. A crash loses nothing: the
 * next process continues with the outbox, and the server skips what it already has.
 */
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { type Loop, makeLoop } from '../base/loop.ts';
import { programName } from '../base/program-name.ts';
import { makeSecret } from '../base/secret.ts';
import { maxBatchBytes, maxBatchItems, reportBeatMs } from '../model/report.ts';
import type { Owner } from '../model/run.ts';
import type { OutboxIdentity, OutboxStore, WaitingItem } from '../store/store.ts';
import { type ReportApi, ReportTrouble, type TroubleKind } from './report-api.ts';

export interface ReporterOptions {
  readonly outbox: OutboxStore;
  readonly api: ReportApi;
  readonly name: string;
  readonly version: string;
  /** Version of Batuta. */
  readonly batuta: string;
  /** Limit of the outbox on disk, bytes. */
  readonly maxBytes: number;
  /** How long `stop` waits for the rest, ms. */
  readonly flushMs: number;
  readonly owner: Owner;
  readonly isOwnerGone: (owner: Owner) => boolean;
  readonly makeId: () => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Between two checks for changes, ms. */
const captureMs = 200;
/** How long a process reports without renewing, how often it renews, and how often others ask whether they may, ms. */
const holdMs = 10_000;
const holdAgainMs = 4_000;
const askAgainMs = 1_000;
/** Between two tries while the server accepts nothing: from a second up to minutes. */
const sendMs = 1_000;
const maxBackoffMs = 300_000;
/** How often the server may fail at one item before it is left out. */
const mostFailures = 20;
/** Between two checks whether the rest has gone, at the end, ms. */
const flushLookMs = 50;

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #capturing: Loop;
  readonly #sending: Loop;
  #identity: OutboxIdentity | null = null;
  /** When it next asks whether it is the one that reports, monotonic ms. */
  #holdAt = Number.NEGATIVE_INFINITY;
  #isNoting = true;
  #isRegistered = false;
  #beatAt = Number.NEGATIVE_INFINITY;
  #trouble: TroubleKind | null = null;
  #batchItems = maxBatchItems;
  /** The token the server knows, or will know next. */
  #token = '';
  /** The item the server failed at alone, and how often in a row. */
  #failing = { seq: 0, times: 0 };
  #refused = 0;
  #stopped: Promise<void> | null = null;

  constructor(options: ReporterOptions) {
    this.#options = options;
    const { clock, random } = options;
    const shared = { clock, random, unref: true };
    this.#capturing = makeLoop({
      ...{ ...shared, name: 'capture of reports', intervalMs: captureMs },
      step: () => this.#capture(),
      onError: (error) => this.#cannotNote(error),
    });
    this.#sending = makeLoop({
      ...{ ...shared, name: 'reports', intervalMs: sendMs, maxBackoffMs },
      step: (signal) => this.#send(signal),
      onError: (error) => this.#say(error),
    });
  }

  /** From now on everything that happens in the store is reported, sooner or later. If the store refuses that, it is logged and retried. */
  async start(): Promise<void> {
    await this.#hold().catch((error: unknown) => this.#cannotNote(error));
    await this.#capturing.start();
    await this.#sending.start();
  }

  /**
   * Waits a while for the rest, then ends. What could not be sent stays on disk for the next process. Never throws; may be called twice.
   */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#end());
  }

  async #end(): Promise<void> {
    const { clock, flushMs, outbox, owner, log } = this.#options;
    await Promise.all([this.#capturing.stop(), this.#sending.stop()]);
    const late = AbortSignal.timeout(Math.max(1, flushMs));
    const until = clock.monotonic() + flushMs;
    // The last reporting process may be gone.
    if (this.#identity === null) this.#holdAt = Number.NEGATIVE_INFINITY;
    try {
      while (clock.monotonic() < until && !(await this.#flush(late))) await clock.sleep(flushLookMs);
      if (this.#identity !== null && this.#isRegistered && this.#trouble === null) await this.#sendBatch([], late, true);
    } catch (error) {
      if (!late.aborted) this.#say(error);
    }
    try {
      const { items } = await outbox.state();
      if (items > 0 && this.#identity !== null)
        log.info({ waiting: items }, 'What could not be reported yet waits on disk and is sent by the next process.');
      await outbox.letGo(owner);
    } catch (error) {
      log.debug({ err: error }, 'The store went away before the reporter had ended.');
    }
  }

  /** Whether nothing is left for this process: its changes are taken over by the one that reports. */
  async #flush(signal: AbortSignal): Promise<boolean> {
    while ((await this.#capture()) === 'again');
    if (this.#identity === null) return true;
    try {
      while ((await this.#send(signal)) === 'again');
    } catch (error) {
      // It registers again, perhaps under another id.
      if (error instanceof ReportTrouble && (error.kind === 'unknown' || error.kind === 'replaced')) return false;
      throw error;
    }
    return await this.#options.outbox.isEmpty();
  }

  /** Takes the store over if nobody else reports from it. */
  async #hold(): Promise<void> {
    const { outbox, owner, name, version, makeId, isOwnerGone, clock } = this.#options;
    const now = clock.monotonic();
    if (now < this.#holdAt) return;
    this.#holdAt = now + askAgainMs;
    const wish = { owner, holdMs, name, version, makeId, makeSecret: () => makeSecret('rs_'), isGone: isOwnerGone };
    const identity = await outbox.hold(wish);
    if (identity?.id !== this.#identity?.id) this.#isRegistered = false;
    this.#identity = identity;
    if (identity !== null) this.#holdAt = now + holdAgainMs;
  }

  async #capture(): Promise<'again' | void> {
    await this.#hold();
    if (this.#identity === null) return;
    const { outbox, name, version, maxBytes, owner } = this.#options;
    const { captured, hasMore } = await outbox.capture({ name, version, maxBytes, host: owner.host, pid: owner.pid });
    this.#isNoting = true;
    if (captured > 0 && this.#trouble === null) this.#sending.wake();
    return hasMore ? 'again' : undefined;
  }

  async #send(signal: AbortSignal): Promise<'again' | void> {
    if (this.#identity === null) return;
    if (!this.#isRegistered) await this.#register(this.#identity, signal);
    const items = await this.#options.outbox.next(this.#batchItems, maxBatchBytes);
    if (items.length === 0 && this.#options.clock.monotonic() - this.#beatAt < reportBeatMs) return;
    await this.#sendBatch(items, signal);
    return items.length > 0 ? 'again' : undefined;
  }

  async #register({ id, secret, confirmed, previous }: OutboxIdentity, signal: AbortSignal): Promise<void> {
    const { api, outbox, name, version, batuta, owner, clock } = this.#options;
    const { token, next, isNew: isOwnToken, sent } = await outbox.tokens(() => makeSecret('rt_'));
    const who = { id, secret, name, version, batuta, host: owner.host, pid: owner.pid, startedAt: clock.now() };
    const card = { ...who, confirmed, sent, previous, token, nextToken: next };
    const { last, isNew } = await api.register(card, signal).catch(async (error: unknown) => {
      if (!(error instanceof ReportTrouble) || error.kind !== 'unknown') throw error;
      // Its id is another's, or a copy of its store uses it; retrying would not help.
      await this.#separate({ id, next });
      throw new ReportTrouble('replaced', error.message, error);
    });
    // The server lost what it had confirmed: a new or an older database.
    const isBehind = confirmed > 0 && (isNew || last < confirmed);
    if (isBehind) await outbox.resend(last);
    await outbox.registered(id, next);
    await outbox.confirm(last);
    this.#token = next;
    this.#identity = { id, secret, confirmed: isBehind ? last : Math.max(last, confirmed), previous: null };
    // A copy of the store made meanwhile knows that token too: register another, which it does not.
    if (!isOwnToken) return await this.#register(this.#identity, signal);
    this.#isRegistered = true;
    this.#recovered();
  }

  async #sendBatch(items: readonly WaitingItem[], signal: AbortSignal, isStopping = false): Promise<void> {
    const { api, outbox, clock } = this.#options;
    const identity = this.#identity;
    if (identity === null) return;
    const lastItem = items.at(-1)?.seq ?? 0;
    if (lastItem > 0) await outbox.sending(lastItem);
    const { items: waiting, bytes, dropped } = await outbox.state();
    const sent = items.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    const note = { waitingItems: Math.max(0, waiting - items.length), waitingBytes: Math.max(0, bytes - sent), dropped, isStopping };
    try {
      const { id, secret, confirmed } = identity;
      const { last, refused } = await api.send({ id, secret, token: this.#token, after: confirmed, items, note }, signal);
      await outbox.confirm(Math.max(last, lastItem));
      this.#identity = { ...identity, confirmed: Math.max(confirmed, last) };
      this.#beatAt = clock.monotonic();
      this.#batchItems = maxBatchItems;
      this.#noteRefused(refused);
      this.#recovered();
    } catch (error) {
      await this.#afterFailure(error, items);
    }
  }

  /**
   * What the server refuses, or fails at, is sent in smaller and smaller batches, until the one bad item is alone and left out. A server
   * that fails may have another reason, so it gets time, and many tries.
   */
  async #afterFailure(error: unknown, items: readonly WaitingItem[]): Promise<void> {
    if (!(error instanceof ReportTrouble)) throw error;
    if (error.kind === 'replaced' && this.#identity !== null) await this.#separate({ id: this.#identity.id, next: null });
    if (error.kind === 'unknown') this.#isRegistered = false;
    const hasFailed = error.kind === 'failed';
    const [only, ...others] = items;
    if (only === undefined || (error.kind !== 'invalid' && !hasFailed)) throw error;
    if (others.length > 0) this.#batchItems = Math.max(1, Math.floor(items.length / 2));
    if (hasFailed && (others.length > 0 || this.#failuresAt(only.seq) < mostFailures)) throw error;
    if (others.length > 0) return;
    await this.#options.outbox.leaveOut(only.seq);
    this.#batchItems = maxBatchItems;
    this.#noteRefused([{ message: error.message }]);
  }

  #failuresAt(seq: number): number {
    this.#failing = { seq, times: this.#failing.seq === seq ? this.#failing.times + 1 : 1 };
    return this.#failing.times;
  }

  /** Another reporter uses its id: its store was copied. The next step begins with a new one. */
  async #separate(refused: Parameters<OutboxStore['separate']>[0]): Promise<void> {
    const { outbox, makeId } = this.#options;
    await outbox.separate(refused, makeId(), makeSecret('rs_'));
    this.#isRegistered = false;
    this.#holdAt = Number.NEGATIVE_INFINITY;
  }

  /** Logs once that the store does not accept it, until it does. */
  #cannotNote(error: unknown): void {
    if (this.#isNoting) this.#options.log.warn({ err: error }, 'Changes cannot be recorded for the report server at the moment.');
    this.#isNoting = false;
  }

  #noteRefused(refused: readonly { readonly message: string }[]): void {
    const [first] = refused;
    if (first === undefined) return;
    this.#refused += refused.length;
    if (this.#refused > refused.length) return;
    this.#options.log.warn({ refused: refused.length }, `The report server refused some of what is reported: ${first.message}`);
  }

  /** Logs an error once, until it changes. */
  #say(error: unknown): void {
    const kind = error instanceof ReportTrouble ? error.kind : 'away';
    if (kind === this.#trouble || kind === 'unknown' || kind === 'replaced') return;
    this.#trouble = kind;
    const { log, api } = this.#options;
    const waits = 'What happens waits on disk and follows later.';
    if (kind === 'refused') {
      const what = `Set BATUTA_REPORT_KEY to a key of the role reporter (on the server: ${programName()} key create --name edge --role reporter).`;
      log.error(`The report server ${api.server} refuses the key. ${waits} ${what} Its answer: ${(error as Error).message}`);
    } else log.warn({ err: error }, `Nothing can be reported at the moment: ${(error as Error).message} ${waits}`);
  }

  #recovered(): void {
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.#options.log.info(`The report server ${this.#options.api.server} accepts reports again.`);
  }
}
