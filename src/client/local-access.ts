/** Keys, sessions and the audit, over an open store. */
import { checkFilter } from '../model/list-filters.ts';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { MakeId } from '../base/id.ts';
import { programName } from '../base/program-name.ts';
import { hashSecret, makeSecret } from '../base/secret.ts';
import { type ApiKey, type AuditEntry, isUsable, roles } from '../model/access.ts';
import { pickById } from '../model/pick-by-id.ts';
import { maxKeyChars, weaknessOf } from '../model/key-strength.ts';
import type { Store } from '../store/store.ts';
import type { AuditClient, KeysClient } from './access-client.ts';

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly makeId: MakeId;
}

/** Prefix of a key, so that people and secret scanners recognize one. */
const keyBeginning = 'batuta_';
/** `lastUsedAt` is at most this old; anything finer would be a write per request. */
const touchMs = 60_000;
/** How long a person stays logged in, ms. */
export const sessionMs = 7 * 86_400_000;

/** Keys, for the process that has the store. */
export class LocalKeys implements KeysClient {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create({ name, role, expiresAt = null }: Parameters<KeysClient['create']>[0]): ReturnType<KeysClient['create']> {
    if (!/^[\w.-]{1,100}$/.test(name))
      throw new BatutaError('NAME_INVALID', `'${name}' is not a valid name for a key: use 1 to 100 letters, digits, _, . or -.`, {
        details: { name },
      });
    if (!roles.includes(role))
      throw new BatutaError('OPTION_INVALID', `The role '${String(role)}' is none of ${roles.join(', ')}.`, { details: { role } });
    const now = this.#parts.clock.now();
    if (expiresAt !== null && !(Number.isSafeInteger(expiresAt) && expiresAt > now))
      throw new BatutaError('OPTION_INVALID', 'A key must expire in the future, or never.', { details: { expiresAt } });
    const key = makeSecret(keyBeginning);
    const entry = this.#entryOf({ name, role, expiresAt });
    await this.#parts.store.keys.insert(entry, hashSecret(key));
    return { key, entry };
  }

  list(): Promise<readonly ApiKey[]> {
    return this.#parts.store.keys.list();
  }

  async revoke(id: string): Promise<ApiKey> {
    const meant = pickById(await this.list(), id, { code: 'KEY_NOT_FOUND', plural: 'keys' }, ({ name, role }) => `${name}, ${role}`);
    const revoked = meant === null ? null : await this.#parts.store.keys.revoke(meant.id, this.#parts.clock.now());
    if (revoked) return revoked;
    throw new BatutaError('KEY_NOT_FOUND', `No API key has the id ${id}. List them with: ${programName()} key ls`, {
      details: { key: id },
    });
  }

  /** Whether a key was ever made; revoked and expired ones count, so that the end of a key never opens a server. */
  any(): Promise<boolean> {
    return this.#parts.store.keys.any();
  }

  /** Whether any key is usable now. */
  async anyUsable(): Promise<boolean> {
    const now = this.#parts.clock.now();
    return (await this.list()).some((key) => isUsable(key, now));
  }

  /** The entry of a presented key; null if it is unknown, revoked or expired. */
  async find(key: string): Promise<ApiKey | null> {
    if (key.length === 0 || key.length > maxKeyChars) return null;
    return await this.#used(await this.#parts.store.keys.byHash(hashSecret(key)));
  }

  /**
   * Ensures that a key from the environment exists, as an admin key called `bootstrap`. A revoked one stays revoked.
   *
   * @throws BatutaError CONFIG_INVALID if it could be guessed
   */
  async bootstrap(key: string): Promise<void> {
    const weakness = weaknessOf(key);
    if (weakness !== null)
      throw new BatutaError('CONFIG_INVALID', `BATUTA_ADMIN_KEY ${weakness}. Make one with: openssl rand -hex 32`, {
        details: { setting: 'adminKey' },
      });
    await this.#parts.store.keys.insert(this.#entryOf({ name: 'bootstrap', role: 'admin', expiresAt: null }), hashSecret(key));
  }

  /** Opens a session for a presented key; null if the key is not usable. */
  async logIn(key: string): Promise<{ readonly token: string; readonly entry: ApiKey; readonly expiresAt: number } | null> {
    const entry = await this.find(key);
    if (!entry) return null;
    const { store, clock } = this.#parts;
    const createdAt = clock.now();
    const expiresAt = Math.min(createdAt + sessionMs, entry.expiresAt ?? Number.POSITIVE_INFINITY);
    const token = makeSecret('');
    await store.sessions.prune(createdAt);
    await store.sessions.insert({ hash: hashSecret(token), keyId: entry.id, createdAt, expiresAt });
    return { token, entry, expiresAt };
  }

  /** The key of a session; null if there is no such session, or its key is no longer usable. */
  async ofSession(token: string): Promise<ApiKey | null> {
    if (token.length === 0 || token.length > maxKeyChars) return null;
    return await this.#used(await this.#parts.store.sessions.keyOf(hashSecret(token), this.#parts.clock.now()));
  }

  async logOut(token: string): Promise<void> {
    await this.#parts.store.sessions.delete(hashSecret(token));
  }

  async #used(entry: ApiKey | null): Promise<ApiKey | null> {
    const now = this.#parts.clock.now();
    if (!entry || !isUsable(entry, now)) return null;
    if (entry.lastUsedAt === null || now - entry.lastUsedAt >= touchMs) await this.#parts.store.keys.touch(entry.id, now);
    return entry;
  }

  #entryOf(given: Pick<ApiKey, 'name' | 'role' | 'expiresAt'>): ApiKey {
    const { makeId, clock } = this.#parts;
    return { id: makeId(), ...given, createdAt: clock.now(), revokedAt: null, lastUsedAt: null };
  }
}

export class LocalAudit implements AuditClient {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(filter: Parameters<AuditClient['list']>[0] = {}): ReturnType<AuditClient['list']> {
    checkFilter('changes', filter);
    return await this.#parts.store.audit.list(filter);
  }

  record(entry: Omit<AuditEntry, 'seq' | 'at'>): Promise<void> {
    return this.#parts.store.audit.add({ ...entry, at: this.#parts.clock.now() });
  }
}
