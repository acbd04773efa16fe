import { describe, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { at } from 'batuta/streams';
import { deadLettersOf } from '../../../src/model/dead-letters.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';

type Rows = AsyncIterable<number>;

describe('a replay of rejected records', () => {
  let isMended = false;
  let reads = 0;
  async function* rows() {
    reads++;
    for (let n = 1; n <= 9; n++) yield at(n, n);
  }
  async function* halved(all: Rows, ctx: TaskContext) {
    for await (const n of all) {
      if (n % 3 === 0 && !isMended) ctx.reject(n, 'three');
      else yield n;
    }
  }
  const sum = async (all: Rows, ctx: TaskContext): Promise<number[]> => {
    const taken: number[] = [];
    for await (const n of all) {
      if (n % 2 === 0 && !isMended) ctx.reject(n, 'even');
      else taken.push(n);
    }
    return taken;
  };
  const flow = makeFlow({ rows: { does: rows }, halved: { needs: ['rows'], does: halved }, sum: { needs: ['halved'], does: sum } });

  test('gives each task what it had rejected, reads no source, and keeps the positions', async () => {
    const { client } = await ownEngine({ flows: [flow] });
    const first = await client.submit(flow);
    expect(await first.result()).toEqual([1, 5, 7]);
    const { artifacts } = await client.runs.inspect(first.id);
    expect(
      deadLettersOf(artifacts)
        .map(({ stage, position, record }) => `${stage} ${String(position)} ${String(record)}`)
        .toSorted(),
    ).toEqual(['halved 3 3', 'halved 6 6', 'halved 9 9', 'sum 2 2', 'sum 4 4', 'sum 8 8']);
    // Not mended: the same is rejected, and nothing else.
    const again = await client.submit(flow, undefined, { replayOf: first.id });
    expect(await again.result()).toEqual([]);
    expect(deadLettersOf((await client.runs.inspect(again.id)).artifacts)).toHaveLength(6);
    isMended = true;
    const mended = await client.submit(flow, undefined, { replayOf: again.id });
    expect(((await mended.result()) as number[]).toSorted((a, b) => a - b)).toEqual([2, 3, 4, 6, 8, 9]);
    expect(reads).toBe(1);
    await expect(client.submit(flow, undefined, { replayOf: '' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

test('letters of several attempts are there as often as in the attempt that has most of them', () => {
  const letter = (attempt: number, record: number) => ({ reason: 'r', stage: 's', position: null, attempt, record });
  const data = [letter(1, 1), letter(1, 1), letter(1, 2), letter(2, 1), letter(2, 2), letter(2, 2), letter(2, 3)];
  const letters = deadLettersOf([
    { kind: 'rejects', name: 's', data },
    { kind: 'json', name: 's', data },
  ]);
  expect(letters.map(({ record }) => record)).toEqual([1, 1, 2, 2, 3]);
});
