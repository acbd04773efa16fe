/** A task's stream in a guest, whose bytes go to the engine on request. */
import { cutOut, openSource } from '../base/byte-source.ts';
import { BatutaError } from '../base/errors.ts';
import { failureOf } from '../model/failure.ts';
import type { HostMessage, GuestMessage } from '../model/isolate-protocol.ts';

export class PulledSource {
  readonly #pieces: AsyncIterator<unknown>;
  readonly #name: string;
  readonly #send: (message: GuestMessage) => void;

  /** @throws BatutaError ARTIFACT_INVALID if it is no source */
  constructor(source: unknown, name: string, send: (message: GuestMessage) => void) {
    this.#pieces = openSource(source, name).pieces[Symbol.asyncIterator]();
    this.#name = name;
    this.#send = send;
  }

  /** Sends the next bytes, or that there are none. */
  async answer({ id, isEnd }: HostMessage & { readonly kind: 'pull' }): Promise<void> {
    if (isEnd) {
      await this.#pieces.return?.().catch(() => undefined);
      return;
    }
    try {
      const { done, value } = await this.#pieces.next();
      if (!done && typeof value !== 'string' && !(value instanceof Uint8Array))
        throw new BatutaError('ARTIFACT_INVALID', `The stream of artifact '${this.#name}' gives ${typeof value}, not bytes.`);
      const piece = done ? null : value instanceof Uint8Array ? cutOut(value) : (value as string);
      this.#send({ kind: 'piece', id, piece, failure: null });
    } catch (error) {
      this.#send({ kind: 'piece', id, piece: null, failure: failureOf(error) });
    }
  }
}
