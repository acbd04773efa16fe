/** Bytes of files that a task in a guest keeps: requested piece by piece, so that neither side holds a whole file. */
import { errorOf } from '../../model/failure.ts';
import type { HostMessage, GuestMessage } from '../../model/isolate-protocol.ts';

type Piece = GuestMessage & { readonly kind: 'piece' };

export class PulledFiles {
  readonly #send: (message: HostMessage) => void;
  readonly #waiting = new Map<number, (piece: Piece | null) => void>();

  constructor(send: (message: HostMessage) => void) {
    this.#send = send;
  }

  /** The bytes of that message's file; read once. */
  async *pieces(id: number): AsyncGenerator<Uint8Array | string> {
    let isOpen = true;
    try {
      for (;;) {
        const answer = await new Promise<Piece | null>((resolve) => {
          this.#waiting.set(id, resolve);
          this.#send({ kind: 'pull', id, isEnd: false });
        });
        isOpen = answer !== null && answer.failure === null && answer.piece !== null;
        if (answer === null) throw new Error('The thread or process of the task has ended before it gave all bytes of the file.');
        if (answer.failure !== null) throw errorOf(answer.failure);
        if (answer.piece === null) return;
        yield answer.piece;
      }
    } finally {
      if (isOpen) this.#send({ kind: 'pull', id, isEnd: true });
    }
  }

  answered(piece: Piece): void {
    this.#waiting.get(piece.id)?.(piece);
    this.#waiting.delete(piece.id);
  }

  /** The guest sends nothing more. */
  end(): void {
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }
}
