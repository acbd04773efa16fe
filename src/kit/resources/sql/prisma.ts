/** Transactions of Prisma. */
import {
  type EffectOptions,
  keepMsOf,
  type SqlDialect,
  type SqlRow,
  sqlTransactions,
  type SqlValue,
  type Transactional,
} from '../../../effects/driver.ts';
import { beginByCallback } from './by-callback.ts';
import { checkStatement, guarded, type TransactionLife } from './transaction-life.ts';

/** What is used of a client and its transactions. */
interface PrismaExecutor {
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown>;
  $executeRawUnsafe(text: string, ...values: unknown[]): Promise<number>;
}
interface PrismaClient extends PrismaExecutor {
  $transaction(
    work: (tx: PrismaExecutor) => Promise<void>,
    options: { readonly maxWait: number; readonly timeout: number },
  ): Promise<unknown>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the function of a transaction takes.
type AnyWork = (tx: any) => Promise<any>;

/** A task's `ctx.tx` with Prisma: the client within its transaction. */
export type PrismaTx<Client> = Client extends { $transaction: (work: infer Work, ...rest: never[]) => unknown }
  ? Work extends (tx: infer Tx, ...rest: never[]) => unknown
    ? Tx
    : never
  : never;

/**
 * The longest that Prisma can wait, ms: the largest delay of a timer. By default it would give up on a connection after two seconds and roll
 * back after five; how long a task may take is up to its own `timeout`.
 */
const longest = 2 ** 31 - 1;

/**
 * A Prisma client (7 or later) over PostgreSQL or MySQL, unchanged, whose interactive transactions can carry tasks: `ctx.tx` is the client
 * within one. A task that is stopped waits for the statement it was executing before it rolls back.
 */
export function prismaTransactions<Client extends { $transaction: (work: AnyWork, ...rest: never[]) => Promise<unknown> }>(
  client: Client,
  dialect: Exclude<SqlDialect, 'sqlite'>,
  options?: EffectOptions,
): Client & Transactional<PrismaTx<Client>> {
  const prisma = client as unknown as PrismaClient;
  return sqlTransactions(client, {
    dialect,
    keepEffectsMs: keepMsOf(options),
    query: (text, values) => query(prisma, text, values),
    begin: () =>
      beginByCallback<PrismaExecutor>({
        transaction: (work) => prisma.$transaction(work, { maxWait: longest, timeout: longest }),
        query,
        txOf: guardedClient,
      }) as never,
  });
}

async function query(executor: PrismaExecutor, text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
  if (/^\s*select\b/i.test(text)) return (await executor.$queryRawUnsafe(text, ...values)) as SqlRow[];
  await executor.$executeRawUnsafe(text, ...values);
  return [];
}

/** Refuses once the transaction has ended, as queries of models do by themselves, and text that would end it. */
function guardedClient(tx: PrismaExecutor, life: TransactionLife): PrismaExecutor {
  const checked = (member: unknown): unknown => {
    if (typeof member !== 'function') return member;
    return (statement: unknown, ...values: unknown[]): unknown => {
      checkStatement(Array.isArray(statement) ? statement[0] : statement);
      return Reflect.apply(member, tx, [statement, ...values]);
    };
  };
  const get = (_: object, name: string | symbol): unknown => {
    const member: unknown = Reflect.get(tx, name, tx);
    return typeof name === 'string' && /^\$(query|execute)Raw/.test(name) ? checked(member) : member;
  };
  return guarded(new Proxy<PrismaExecutor>(tx, { get }), life);
}
