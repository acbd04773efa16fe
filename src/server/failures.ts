/**
 * Failed authentications, counted by address, so that nobody tries keys, or our patience, without end.
 *
 * An address that has failed too often within a minute is refused without a store query until that minute is over, except with keys and
 * sessions that were valid before: others at an attacker's address are not locked out.
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { hashSecret } from '../base/secret.ts';

const windowMs = 60_000;
/** Addresses and valid keys remembered; the oldest are forgotten first. */
const maxRemembered = 10_000;

interface Count {
  failures: number;
  readonly until: number;
}

export class Failures {
  readonly #clock: Clock;
  readonly #maxPerMinute: number;
  readonly #counts = new Map<string, Count>();
  readonly #good = new Set<string>();

  constructor(clock: Clock, maxPerMinute: number) {
    this.#clock = clock;
    this.#maxPerMinute = maxPerMinute;
  }

  /**
   * @param shown the presented key or session; null for none
   * @throws BatutaError RATE_LIMITED if the address has failed too often
   */
  refuse(address: string, shown: string | null): void {
    const count = this.#countOf(address);
    if (count === undefined || count.failures < this.#maxPerMinute) return;
    if (shown !== null && this.#good.has(hashSecret(shown))) return;
    const seconds = Math.ceil((count.until - this.#clock.monotonic()) / 1000);
    throw new BatutaError('RATE_LIMITED', `Too many requests from this address without a valid key; try again in ${seconds} s.`, {
      details: { retryAfterSeconds: seconds },
    });
  }

  failed(address: string): void {
    const count = this.#countOf(address);
    if (count !== undefined) count.failures++;
    else remember(this.#counts, nameOf(address), { failures: 1, until: this.#clock.monotonic() + windowMs });
  }

  /** Records a valid key or session. */
  succeeded(shown: string): void {
    const hash = hashSecret(shown);
    if (this.#good.has(hash)) return;
    forgetOldest(this.#good);
    this.#good.add(hash);
  }

  #countOf(address: string): Count | undefined {
    const count = this.#counts.get(nameOf(address));
    return count === undefined || count.until <= this.#clock.monotonic() ? undefined : count;
  }
}

/** The owner of an IPv6 address has its network, the first half. */
function nameOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::')) return address;
  const [head = ''] = address.split('::', 1);
  return head.split(':').slice(0, 4).join(':');
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  forgetOldest(map);
  map.set(key, value);
}

function forgetOldest<K>(kept: Map<K, unknown> | Set<K>): void {
  if (kept.size < maxRemembered) return;
  for (const oldest of kept.keys()) {
    kept.delete(oldest);
    return;
  }
}
