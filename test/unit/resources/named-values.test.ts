/** Secrets, variables and connections where resources are opened, and connections as resources. */
import { describe, expect, test } from 'vitest';
import { connection, Flow, Inject, resource, type ResourceScopeName, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { z } from 'zod';

const password = 'a long password';
const values = {
  secrets: { token: 'a long token' },
  variables: { size: 7 },
  connections: { warehouse: { kind: 'postgres', host: 'db', database: 'shop', user: 'etl', password } },
};
const warehouse = connection('warehouse', 'postgres');

describe('the function of a resource', () => {
  test.each(['worker', 'run', 'task'] as const)(
    'reads secrets, variables and connections in the scope %s',
    async (scope: ResourceScopeName) => {
      const reads = resource(
        'reads',
        async (ctx) => {
          const size: number = await ctx.variable('size', z.number());
          const { host, port } = await ctx.connection('warehouse', 'postgres');
          return { hasToken: (await ctx.secret('token')) === values.secrets.token, size, address: `${host}:${port}` };
        },
        { scope },
      );
      @Flow()
      class Reads {
        @Task()
        async all(ctx: TaskContext) {
          return await ctx.use(reads);
        }
      }
      const run = await testFlow(Reads, {}, values);
      expect(run.result).toEqual({ hasToken: true, size: 7, address: 'db:5432' });
    },
  );

  test('cannot be opened where a secret is not there', async () => {
    const reads = resource('reads', (ctx) => ctx.secret('token'));
    @Flow()
    class Reads {
      @Task()
      async one(ctx: TaskContext) {
        return (await ctx.use(reads)).length;
      }
    }
    const run = await testFlow(Reads);
    expect(run.error).toMatchObject({ code: 'RESOURCE_OPEN_FAILED', message: expect.stringContaining('token') });
  });
});

describe('a connection as a resource', () => {
  @Flow()
  class Load {
    @Inject(warehouse) db!: { readonly host: string; readonly port: number };

    @Task()
    async where(ctx: TaskContext) {
      const { user, kind, url } = await ctx.use(warehouse);
      ctx.log.info(`opening ${url}`);
      return [this.db.host, this.db.port, user, kind];
    }
  }

  test('is used and injected, typed by its kind, and hidden where it is printed', async () => {
    const run = await testFlow(Load, {}, values);
    expect(run.result).toEqual(['db', 5432, 'etl', 'postgres']);
    expect(JSON.stringify(run.logs)).toContain('opening [redacted]');
    expect(JSON.stringify(run.logs)).not.toContain(password);
  });

  test('of another kind than the code takes cannot be opened', async () => {
    const run = await testFlow(Load, {}, { connections: { warehouse: { kind: 'http', baseUrl: 'https://crm.example' } } });
    expect(run.error).toMatchObject({ code: 'RESOURCE_OPEN_FAILED', message: expect.stringContaining('of kind http') });
  });

  test('is put in place of by its name among resources', async () => {
    const run = await testFlow(Load, {}, { resources: { 'connection:warehouse': { host: 'fake', port: 1, user: 'me', kind: 'none' } } });
    expect(run.result).toEqual(['fake', 1, 'me', 'none']);
  });

  test('is refused with a bad name, kind or option', () => {
    expect(() => connection(1 as never, 'http')).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
    expect(() => connection('crm', 'ftp' as never)).toThrow(expect.objectContaining({ code: 'CONNECTION_INVALID' }));
    expect(() => connection('crm', 'http', { scope: 'flow' as never })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
