/** Who asks: by a key, by a session opened with a key, or from this computer while no key was ever made. */
import type { FastifyRequest } from 'fastify';
import { systemClock } from '../base/clock.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';
import type { LocalKeys } from '../client/local-access.ts';
import { hashSecret } from '../base/secret.ts';
import type { ApiKey, Role } from '../model/access.ts';
import { askHost, type Authorize } from './authorize.ts';
import { Failures } from './failures.ts';

/** Who asks, and what they may do. */
export interface Identity {
  readonly role: Role;
  /** Name of the key, `local` without one. */
  readonly who: string;
  readonly keyId: string | null;
  /** `host`: the surrounding program knows who asks. */
  readonly by: 'local' | 'key' | 'session' | 'host';
  /** Token required for changes, as browsers send the session cookie automatically; null if not needed. */
  readonly csrf: string | null;
}

export const sessionCookie = 'batuta_session';
const hostCsrf = 'same-origin';

const local: Identity = { role: 'admin', who: 'local', keyId: null, by: 'local', csrf: null };

export class Authenticator {
  readonly #keys: LocalKeys;
  readonly #loopback: boolean;
  readonly #failures: Failures;
  readonly #authorize: Authorize | null;
  #keyed = false;

  /**
   * @param loopback whether the server listens on an address that only this computer reaches.
   * @param authorize asked first; with it, coming from this computer is not enough
   */
  constructor(
    keys: LocalKeys,
    loopback: boolean,
    failures = new Failures(systemClock, Number.POSITIVE_INFINITY),
    authorize: Authorize | null = null,
  ) {
    this.#keys = keys;
    this.#authorize = authorize;
    this.#loopback = loopback;
    this.#failures = failures;
  }

  /** Whether anyone who reaches the server may do anything: on loopback, until the first key is made. */
  async isOpen(): Promise<boolean> {
    if (!this.#loopback || this.#authorize !== null) return false;
    // Once there was a key, there always was.
    this.#keyed ||= await this.#keys.any();
    return !this.#keyed;
  }

  /**
   * Who asks; null for nobody. A failed attempt counts against its address.
   *
   * @throws BatutaError UNAUTHENTICATED if the presented key is not usable; RATE_LIMITED if its address has failed too often
   */
  async identify(request: FastifyRequest): Promise<Identity | null> {
    const visitor = await this.#byHost(request);
    if (visitor !== null) return visitor;
    const shown = request.headers.authorization ?? request.cookies[sessionCookie] ?? null;
    this.#failures.refuse(request.ip, shown);
    const identity = await this.#byKey(request).catch((error: unknown) => {
      if (isBatutaError(error, 'UNAUTHENTICATED')) this.#failures.failed(request.ip);
      throw error;
    });
    if (identity !== null && shown !== null) this.#failures.succeeded(shown);
    return identity;
  }

  /** As `identify`, without counting: for a request already let in. */
  async recognise(request: FastifyRequest): Promise<Identity | null> {
    return (await this.#byHost(request)) ?? (await this.#byKey(request));
  }

  async #byHost(request: FastifyRequest): Promise<Identity | null> {
    if (this.#authorize === null) return null;
    const visitor = await askHost(this.#authorize, request.raw);
    if (visitor === null) return null;
    // A browser sends the program's cookies automatically. No other site can make it send a header of this name.
    return { ...visitor, keyId: null, by: 'host', csrf: request.headers.cookie === undefined ? null : hostCsrf };
  }

  async #byKey(request: FastifyRequest): Promise<Identity | null> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#byHeader(authorization);
    const token = request.cookies[sessionCookie];
    const entry = token === undefined ? null : await this.#keys.ofSession(token);
    if (entry && token !== undefined) return { ...ofKey(entry), by: 'session', csrf: csrfOf(token) };
    return (await this.isOpen()) ? local : null;
  }

  /** Opens a session for a presented key. @throws BatutaError UNAUTHENTICATED, which counts against the address; RATE_LIMITED */
  async logIn(key: string, address: string): Promise<{ readonly token: string; readonly entry: ApiKey }> {
    this.#failures.refuse(address, key);
    const opened = await this.#keys.logIn(key);
    if (opened) {
      this.#failures.succeeded(opened.token);
      return opened;
    }
    this.#failures.failed(address);
    throw new BatutaError('UNAUTHENTICATED', 'This key is not known, was revoked or has expired.');
  }

  /** Refuses a request without valid credentials. @throws BatutaError UNAUTHENTICATED, which counts; RATE_LIMITED */
  refuse(request: FastifyRequest): never {
    this.#failures.refuse(request.ip, null);
    this.#failures.failed(request.ip);
    throw new BatutaError('UNAUTHENTICATED', 'The server requires an API key, or a login with one.');
  }

  async #byHeader(authorization: string): Promise<Identity> {
    const [, key] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    const entry = key === undefined ? null : await this.#keys.find(key);
    if (entry) return { ...ofKey(entry), by: 'key', csrf: null };
    throw new BatutaError(
      'UNAUTHENTICATED',
      key === undefined
        ? 'The server takes API keys as "Authorization: Bearer KEY".'
        : `The API key is not known, was revoked or has expired. An admin makes another with: ${programName()} key create`,
    );
  }
}

/** The token of a session. It reveals nothing of the session, so that scripts may hold it. */
export function csrfOf(token: string): string {
  return hashSecret(`csrf:${token}`);
}

function ofKey({ role, name, id }: ApiKey): Pick<Identity, 'role' | 'who' | 'keyId'> {
  return { role, who: name, keyId: id };
}
