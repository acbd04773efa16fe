/**
 * Addresses by which people decide: signed, so that nobody can forge or change one, and bound to the item, the answer, the time and
 * optionally the person. They hold no state; the item records whether it was decided.
 */
import { BatutaError } from '../base/errors.ts';
import type { Keyring } from '../base/keyring.ts';
import type { Config } from '../base/settings.ts';
import type { DecisionAddresses, DecisionLink } from '../model/inbox.ts';

const purpose = 'decision-link';
/** Longest answer in an address, characters. */
const maxValueChars = 1_500;

export class DecisionLinks implements DecisionAddresses {
  readonly #keyring: () => Keyring | null;
  readonly #base: string;

  /** @param keyring with the keys of `BATUTA_SECRET_KEY` */
  constructor(keyring: () => Keyring | null, config: Pick<Config, 'publicUrl' | 'host' | 'port' | 'basePath'>) {
    this.#keyring = keyring;
    this.#base = baseOf(config);
  }

  pageOf(itemId: string): string {
    return `${this.#base}/inbox?item=${itemId}`;
  }

  linkTo({ itemId, value, for: person, expiresAt }: DecisionLink): string {
    if (value.length > maxValueChars)
      throw new BatutaError(
        'DECISION_INVALID',
        `An answer in a link has at most ${maxValueChars} characters, this one has ${value.length}.`,
        { details: { item: itemId, issues: [] } },
      );
    const body = Buffer.from(JSON.stringify([itemId, value, person, expiresAt])).toString('base64url');
    return `${this.#base}/decide/${body}.${this.#keys().sign(body, purpose)}`;
  }

  /** Content of a link. @throws BatutaError DECISION_LINK_INVALID if changed, cut or signed with a key not set here; SECRET_KEY_MISSING */
  read(token: string): DecisionLink {
    const [, body, signature] = /^([\w-]+)\.([0-9a-f]{8}\.[\w-]+)$/.exec(token) ?? [];
    if (body === undefined || signature === undefined || !this.#keys().verify(body, signature, purpose))
      throw new BatutaError(
        'DECISION_LINK_INVALID',
        'This link is not from this server, or is incomplete. Ask for another, or decide in the dashboard.',
      );
    const [itemId, value, person, expiresAt] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [
      string,
      string,
      string | null,
      number,
    ];
    return { itemId, value, for: person, expiresAt };
  }

  #keys(): Keyring {
    const keyring = this.#keyring();
    if (keyring) return keyring;
    throw new BatutaError(
      'SECRET_KEY_MISSING',
      'Links to decide are signed: set BATUTA_SECRET_KEY, the same for every server and worker (make one: openssl rand -hex 32).',
    );
  }
}

/** Public address of the server, without a trailing slash. */
function baseOf({ publicUrl, host, port, basePath }: Pick<Config, 'publicUrl' | 'host' | 'port' | 'basePath'>): string {
  if (publicUrl !== null) return publicUrl.replace(/\/+$/, '');
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}${basePath}`;
}
