/** Tasks that take effect once through Prisma, whose client is generated: in a project of its own. */
import { afterEach, expect, test } from 'vitest';
import { createDatabase } from '../../support/postgres.ts';
import { installApp, type InstalledApp, legacyConfig } from '../installed-app.ts';

let app: InstalledApp | undefined;
afterEach(() => app?.remove());

const schema = `generator client {
  provider = "prisma-client"
  output   = "../generated"
}
datasource db {
  provider = "postgresql"
}
model Loaded {
  id   Int    @id @default(autoincrement())
  text String
  @@map("loaded")
}
`;

const flow = `import { Flow, resource, run, Task, type TransactionContext } from 'batuta';
import { prismaTransactions } from 'batuta/resources';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.ts';

const shop = resource('shop', async function* () {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env['SHOP_URL'] }) });
  yield prismaTransactions(prisma, 'postgres');
  await prisma.$disconnect();
});

let late: () => Promise<unknown> = async () => undefined;
const errorOf = async (use: () => Promise<unknown>): Promise<string> => use().then(() => 'none', (error: { code?: string; name: string }) => error.code ?? error.name);

@Flow({ name: 'load' })
export class Load {
  static readonly result = 'load';
  @Task({ transaction: shop, retries: 1 })
  async load(ctx: TransactionContext<typeof shop>): Promise<string[]> {
    const { id } = await ctx.tx.loaded.create({ data: { text: 'attempt ' + ctx.task.attempt } });
    await ctx.tx.$executeRaw\`update loaded set text = text || \${' of two'} where id = \${id}\`;
    if (ctx.task.attempt === 1) {
      late = async () => ctx.tx.loaded.create({ data: { text: 'late' } });
      throw new Error('after the write');
    }
    // By itself Prisma would roll back after five seconds.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    return [
      await errorOf(late),
      await errorOf(async () => ctx.tx.$executeRawUnsafe('commit')),
      await errorOf(async () => ctx.tx.$executeRaw\`rollback\`),
    ];
  }
}
console.log(JSON.stringify(await run(Load)));
`;

test('a task takes effect once through Prisma, and for as long as it takes', async () => {
  const database = await createDatabase();
  try {
    await database.query('create table loaded (id serial primary key, text text not null)');
    const compilerOptions = { ...legacyConfig, module: 'nodenext', allowImportingTsExtensions: true, noEmit: true, skipLibCheck: true };
    app = await installApp({
      packages: ['zod', 'prisma@7', '@prisma/client@7', '@prisma/adapter-pg@7', 'typescript@5.9', '@types/node@20', 'tsx@4'],
      files: {
        'prisma/schema.prisma': schema,
        'load.ts': flow,
        'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }),
      },
    });
    // Generating needs none of the engines that Prisma would download; a given one is not used.
    expect(await app.run('env', 'PRISMA_SCHEMA_ENGINE_BINARY=/bin/true', 'prisma', 'generate')).toMatchObject({ status: 0 });
    expect(await app.run('tsc', '-p', '.')).toEqual({ status: 0, output: '' });
    const { status, output } = await app.run('env', `SHOP_URL=${database.url}`, 'tsx', 'load.ts');
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).toContain('["P2028","TRANSACTION_ENDED","TRANSACTION_ENDED"]');
    expect(await database.query('select text from loaded')).toEqual([{ text: 'attempt 2 of two' }]);
    const effects = await database.query('select task_key from batuta_effects');
    expect(effects).toEqual([{ task_key: 'load' }]);
  } finally {
    await database.drop();
  }
});
