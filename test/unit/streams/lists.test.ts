/** Generators whose items nobody takes as a stream: they are a list of records, without the positions that a source gives them. */
import { describe, expect, test } from 'vitest';
import { Flow, Task } from 'batuta';
import { at } from 'batuta/streams';
import { testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';

async function* positioned(): AsyncGenerator {
  yield at(1, { id: 1 });
  yield { id: 2 };
}
function* inStep(): Generator {
  yield at(1, { id: 1 });
}

describe('a list of what a source with positions yields', () => {
  test('is its result, and goes item by item to a task that is mapped over it', async () => {
    const alone = await testFlow(makeFlow({ rows: { does: positioned } }));
    expect(alone.result).toEqual([{ id: 1 }, { id: 2 }]);
    const mapped = await testFlow(makeFlow({ rows: { does: positioned }, one: { each: 'rows', does: ({ id }: { id: number }) => id } }));
    expect(mapped.result).toEqual([1, 2]);
    expect((await testFlow(makeFlow({ rows: { does: inStep } }))).result).toEqual([{ id: 1 }]);
  });

  test('is what a call in the body of a code flow gives', async () => {
    @Flow()
    class Body {
      @Task()
      rows(): AsyncGenerator {
        return positioned();
      }
      async run() {
        return this.rows();
      }
    }
    expect((await testFlow(Body)).result).toEqual([{ id: 1 }, { id: 2 }]);
  });
});
