import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FlowClass, TaskContext } from 'batuta';
import { z } from 'zod';
import { makeFlow } from '../../support/make-flow.ts';
import { after, before, type Frozen, hang, ledger, takeOver } from '../../support/take-over.ts';

describe('values of a run that is taken over', () => {
  const memory = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        a: { persist: false, does: () => (ledger.push('a'), () => 'a') },
        unused: { persist: false, needs: ['a'], does: () => ledger.push('unused') },
        b: { persist: false, needs: ['a'], does: (a: () => string) => (ledger.push('b'), { a }) },
        recorded: { needs: ['unused'], does: () => ledger.push('recorded') },
        c: { needs: ['b'], does: (b: { a: () => string }) => (ledger.push('c'), hangs ? hang() : b.a()) },
      },
      { name: 'memory', result: 'c' },
    );

  test('a value that was kept in memory is made again where one that is to run needs it, and only there', async () => {
    const { run, result } = await takeOver(memory(true), memory(false));
    expect(run.state.name).toBe('Completed');
    expect(result).toBe('a');
    expect(after()).toEqual(['a', 'b', 'c']);
  });

  const large = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        big: { does: () => (ledger.push('big'), new Map([['text', 'é'.repeat(200_000)]])) },
        last: { needs: ['big'], does: (big: Map<string, string>) => (hangs ? hang() : big.get('text')?.length) },
      },
      { name: 'large' },
    );

  test('a result of more than 256 KiB is in the result storage, and comes back from there', async () => {
    const { run, result, rows, results } = await takeOver(large(true), large(false));
    expect(result).toBe(200_000);
    expect(after()).toEqual([]);
    const big = rows.find((row) => row.name === 'big');
    expect(big).toMatchObject({
      result: null,
      resultRef: expect.stringMatching(new RegExp(`^${run.id}/${big?.id}-1#400054-[0-9a-f]{64}$`)),
    });
    expect(await readdir(join(results, run.id))).toEqual([`${big?.id}-1.json`]);
  });

  test.each(['gone', 'damaged'])(
    'a stored result that is %s fails what needs it, and says what to do; the task is not run again',
    async (how) => {
      const damage = async ({ results, handle: { id } }: Frozen): Promise<void> => {
        const [file = ''] = await readdir(join(results, id));
        await (how === 'gone' ? rm(join(results, id, file)) : writeFile(join(results, id, file), '{"json":{"a"'));
      };
      const { handle } = await takeOver(large(true), large(false), { between: damage });
      await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED', cause: { code: 'RESULT_MISSING' } });
      expect(before()).toEqual(['big']);
      expect(after()).toEqual([]);
    },
  );
});

describe('parameters', () => {
  test('come back as they were validated, dates and all', async () => {
    const dated = (hangs: boolean): FlowClass =>
      makeFlow(
        { give: { does: (ctx: TaskContext) => (hangs ? hang() : ctx.params) } },
        { name: 'dated', params: z.object({ at: z.coerce.date() }) },
      );
    const { result } = await takeOver(dated(true), dated(false), { params: { at: '2024-02-29' } });
    expect(result).toEqual({ at: new Date('2024-02-29') });
  });
});
