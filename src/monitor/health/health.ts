/**
 * Health of a process and its fleet: checks run concurrently, each with a time limit, and their results are reused for some seconds, so
 * that any number of probes cost no more than one.
 */
import { type Clock, settledWithin } from '../../base/clock.ts';
import type { OwnHealthAnswer, OwnHealthCheck } from '../../base/config-file.ts';

/** `degraded`: it works, but somebody should look. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** Result of a check. */
export interface HealthFinding {
  readonly status: HealthStatus;
  /** One sentence. */
  readonly found: string;
  /** What to do; null if all is well, or unknown. */
  readonly mend: string | null;
}

export interface HealthCheck {
  readonly name: string;
  /** @throws any failure, which counts as unhealthy */
  check(signal: AbortSignal): Promise<HealthFinding>;
  /** Longest time for an answer, ms; default 3,000. */
  readonly timeoutMs?: number;
  /** How long an answer is reused, ms; default 5,000. */
  readonly keepMs?: number;
  /** What to do if it throws or does not answer in time. */
  readonly mend?: string;
}

/** A completed check. */
export interface CheckedHealth extends HealthFinding {
  readonly name: string;
  /** UTC epoch ms. */
  readonly at: number;
  /** How long it took, ms. */
  readonly tookMs: number;
}

/** A change of the overall status. */
export interface HealthChange {
  readonly at: number;
  readonly status: HealthStatus;
  /** The worst check; null if all are well. */
  readonly check: string | null;
}

export interface HealthReport {
  /** The worst status of the checks. */
  readonly status: HealthStatus;
  /** In the given order. */
  readonly checks: readonly CheckedHealth[];
  /** Since the process began checking, newest first, at most 100. */
  readonly history: readonly HealthChange[];
}

const usualTimeoutMs = 3_000;
const usualKeepMs = 5_000;
const maxHistory = 100;
const worst: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

export class Health {
  readonly #checks: readonly HealthCheck[];
  readonly #clock: Clock;
  readonly #last = new Map<HealthCheck, CheckedHealth>();
  readonly #underWay = new Map<HealthCheck, Promise<CheckedHealth>>();
  readonly #history: HealthChange[] = [];

  /** @param clock the system clock */
  constructor(checks: readonly HealthCheck[], clock: Clock) {
    this.#checks = checks;
    this.#clock = clock;
  }

  /** Never throws. */
  async read(): Promise<HealthReport> {
    const checks = await Promise.all(this.#checks.map((check) => this.#checked(check)));
    const bad = checks.reduce<CheckedHealth | null>((so, one) => (rank(one) > (so === null ? 0 : rank(so)) ? one : so), null);
    this.#note({ at: this.#clock.now(), status: bad?.status ?? 'healthy', check: bad?.name ?? null });
    return { status: bad?.status ?? 'healthy', checks, history: [...this.#history] };
  }

  async #checked(check: HealthCheck): Promise<CheckedHealth> {
    const last = this.#last.get(check);
    if (last !== undefined && this.#clock.now() - last.at < (check.keepMs ?? usualKeepMs)) return last;
    const underWay = this.#underWay.get(check) ?? this.#make(check).finally(() => this.#underWay.delete(check));
    this.#underWay.set(check, underWay);
    return await underWay;
  }

  async #make(check: HealthCheck): Promise<CheckedHealth> {
    const { name, timeoutMs = usualTimeoutMs, mend = null } = check;
    const startedAt = this.#clock.monotonic();
    const over = new AbortController();
    const answer = Promise.resolve().then(() => check.check(over.signal));
    const inTime = await settledWithin(this.#clock, timeoutMs, answer);
    over.abort();
    const finding: HealthFinding = inTime
      ? await answer.catch((error: unknown) => ({ status: 'unhealthy' as const, found: sentenceOf(error), mend }))
      : { status: 'unhealthy', found: `It did not answer within ${timeoutMs} ms.`, mend };
    const checked = { name, ...finding, at: this.#clock.now(), tookMs: Math.round(this.#clock.monotonic() - startedAt) };
    this.#last.set(check, checked);
    return checked;
  }

  #note(change: HealthChange): void {
    const [last] = this.#history;
    if (last !== undefined && last.status === change.status && last.check === change.check) return;
    this.#history.unshift(change);
    this.#history.length = Math.min(this.#history.length, maxHistory);
  }
}

function rank({ status }: Pick<HealthFinding, 'status'>): number {
  return worst.indexOf(status);
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function healthy(found: string): HealthFinding {
  return { status: 'healthy', found, mend: null };
}

export function degraded(found: string, mend: string): HealthFinding {
  return { status: 'degraded', found, mend };
}

export function unhealthy(found: string, mend: string): HealthFinding {
  return { status: 'unhealthy', found, mend };
}

const statuses: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

/** As checks, by name. An error, false, or an invalid answer is unhealthy. */
export function ownChecks(given: Readonly<Record<string, OwnHealthCheck>>): readonly HealthCheck[] {
  return Object.entries(given).map(([name, check]) => ({
    name,
    check: async (signal) => findingOf((await check({ signal })) ?? undefined),
  }));
}

function findingOf(answer: OwnHealthAnswer): HealthFinding {
  if (answer === undefined || answer === true) return { status: 'healthy', found: 'well', mend: null };
  if (answer === false) return { status: 'unhealthy', found: 'it says no', mend: null };
  const { status, found, mend = null } = answer;
  if (!statuses.includes(status))
    return { status: 'unhealthy', found: `it answered the status ${JSON.stringify(status)}, which is none`, mend: null };
  return { status, found: String(found ?? status), mend };
}
