/** Transactions of libraries that take a function and end with it. */
import { BatutaError } from '../../../base/errors.ts';
import type { OpenTransaction, SqlRow, SqlValue } from '../../../effects/driver.ts';
import { TransactionLife } from './transaction-life.ts';

export interface CallbackTransaction<Tx> {
  /** Runs the work in a transaction: commits when it resolves, rolls back when it rejects. */
  readonly transaction: (work: (tx: Tx) => Promise<void>) => Promise<unknown>;
  /** A statement within it. */
  readonly query: (tx: Tx, text: string, values: readonly SqlValue[]) => Promise<readonly SqlRow[]>;
  /** What the task receives, which must refuse once the transaction has ended. */
  readonly txOf: (tx: Tx, life: TransactionLife) => Tx;
}

const rolledBack = new BatutaError('TRANSACTION_ENDED', 'The transaction was rolled back.');

/** Begins one, and keeps its function pending until it is to end. */
export async function beginByCallback<Tx>({ transaction, query, txOf }: CallbackTransaction<Tx>): Promise<OpenTransaction<Tx>> {
  const life = new TransactionLife(null);
  let end: (error?: Error) => void = () => undefined;
  const asked = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  asked.catch(() => undefined);
  let ended: Promise<unknown> = Promise.resolve();
  const tx = await new Promise<Tx>((resolve, reject) => {
    ended = transaction((given) => {
      resolve(given);
      return asked;
    });
    // If it could not begin.
    ended.catch(reject);
  });
  return {
    tx: txOf(tx, life),
    query: (text, values) => query(tx, text, values),
    async commit() {
      life.end();
      end();
      await ended;
    },
    async rollback() {
      life.end();
      end(rolledBack);
      await ended.catch(() => undefined);
    },
  };
}
