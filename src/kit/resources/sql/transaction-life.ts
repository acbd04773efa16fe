/** A task's handle on a transaction: usable until the transaction ends, refused afterwards. */
import { cutText } from '../../../base/cut-text.ts';
import { BatutaError } from '../../../base/errors.ts';

/** A connection that can be returned. */
interface Releasable {
  release(destroy?: boolean): void;
}

/** Whether a transaction is open, and its connection. */
export class TransactionLife {
  readonly #connection: Releasable | null;
  #hasEnded = false;
  #isReleased = false;
  #underWay = 0;

  constructor(connection: Releasable | null) {
    this.#connection = connection;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Whether a statement of the task is unanswered. */
  get isBusy(): boolean {
    return this.#underWay > 0;
  }

  /** A statement of the task, refused once the transaction has ended. @throws BatutaError TRANSACTION_ENDED */
  async statement<T>(text: unknown, run: () => Promise<T>): Promise<T> {
    this.check();
    checkStatement(text);
    this.#underWay += 1;
    try {
      return await run();
    } finally {
      this.#underWay -= 1;
    }
  }

  end(): void {
    this.#hasEnded = true;
  }

  /** Returns the connection, once. @param isLost whether it is no longer usable */
  release(isLost: boolean): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#connection?.release(isLost);
  }

  /** @throws BatutaError TRANSACTION_ENDED */
  check(): void {
    if (this.#hasEnded)
      throw new BatutaError(
        'TRANSACTION_ENDED',
        'This transaction has ended: its task has given its result, failed, or run out of time. Await what uses it within the task.',
      );
  }
}

/**
 * The object with bound methods that refuse once the transaction has ended.
 *
 * @param wrap a method's result, for objects whose own methods must refuse too, such as prepared statements
 */
export function guarded<T extends object>(target: T, life: TransactionLife, wrap: (given: unknown) => unknown = (given) => given): T {
  return new Proxy(target, {
    get(_, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        life.check();
        return wrap(Reflect.apply(member, target, args));
      };
    },
  });
}

/** Statements that would end or begin a transaction, which is up to its owner; rolling back to a savepoint is allowed. */
const endsTransaction = /^\s*(begin|start\s+transaction|commit|end|rollback(?!\s+(work\s+|transaction\s+)?to\b))\b/i;

/** @throws BatutaError TRANSACTION_ENDED for text that would end its transaction */
export function checkStatement(statement: unknown): void {
  const text = typeof statement === 'object' && statement !== null && 'text' in statement ? statement.text : statement;
  if (typeof text === 'string' && endsTransaction.test(text))
    throw new BatutaError(
      'TRANSACTION_ENDED',
      `'${cutText(text.trim(), 40)}' cannot be run in this transaction: it commits by itself when the task completes, and rolls back when the task fails.`,
    );
}
