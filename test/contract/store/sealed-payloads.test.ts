/** Payloads encrypted at rest, over both makers: an engine works as ever, and what is stored tells nothing. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { Keyring } from '../../../src/base/keyring.ts';
import { memoryPlace } from '../../../src/engine/results/memory-place.ts';
import { type ResultStorage, resultStorage } from '../../../src/engine/results/storage.ts';
import { sealedResults } from '../../../src/engine/values/sealed-results.ts';
import { decodeValue } from '../../../src/model/values.ts';
import { openText, sealPayloads, sealText } from '../../../src/secrets/seal-payloads.ts';
import type { Store } from '../../../src/store/store.ts';
import { openEngine } from '../../support/open-engine.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';

const planted = 'planted-payload';

@Flow({ name: 'sealed' })
class Sealed {
  async run(params: { note: string }, ctx: FlowContext): Promise<unknown> {
    const small = await this.small(params.note, new Date(0));
    const large = await this.large(params.note);
    const told = await ctx.waitFor<{ word: string }>('go');
    return { small, large: large.length, told };
  }
  @Task()
  async small(note: string, at: Date): Promise<unknown> {
    return { note, at };
  }
  @Task()
  async large(note: string): Promise<string> {
    return note.repeat(30_000);
  }
}

@Flow({ name: 'mapped' })
class Mapped {
  @Task()
  list(ctx: TaskContext<{ note: string }>): string[] {
    return ['a', 'b'].map((letter) => ctx.params.note + letter);
  }
  @Task({ each: 'list' })
  item(item: string): string {
    return item.toUpperCase();
  }
}

const ringOf = (key: string, old: string | null = null): Keyring => {
  const ring = Keyring.of('BATUTA_PAYLOAD_KEY', key, old);
  if (!ring) throw new Error('A key is given.');
  return ring;
};

describe.each(makers)('payloads on $name', (maker) => {
  let here: Place;
  let raw: Store;
  let files: ResultStorage;
  const first = randomBytes(32).toString('hex');
  const second = randomBytes(32).toString('hex');
  beforeEach(async () => {
    here = await maker.makePlace();
    raw = await here.open();
    files = resultStorage(memoryPlace());
  });
  afterEach(() => here.remove());

  /** A client over a store of its own, for closing it closes the store. */
  const engineWith = async (ring: Keyring | null) => {
    const store = await here.open();
    const results =
      ring === null
        ? files
        : sealedResults(
            files,
            (text) => sealText(ring, text),
            (text) => openText(ring, text),
          );
    const opened = await openEngine({ store: ring === null ? store : sealPayloads(store, ring), results, flows: [Sealed, Mapped] });
    onTestFinished(() => opened.client.close({ graceMs: 0 }));
    return opened;
  };
  const everything = async (id: string): Promise<string> => {
    const [run, taskRuns, signals, transitions] = await Promise.all([
      raw.runs.get(id),
      raw.taskRuns.ofRun(id),
      raw.signals.ofRun(id),
      raw.transitions.ofRun(id),
    ]);
    const refs = await raw.resultRefs(id);
    return JSON.stringify([run, taskRuns, signals, transitions, await Promise.all(refs.map((ref) => files.get(ref)))]);
  };

  test('parameters, results, large results, arguments of calls and signals are sealed, and the run has them', async () => {
    const { client } = await engineWith(ringOf(first));
    const handle = await client.submit(Sealed, { note: planted });
    await client.runs.signal(handle.id, 'go', { word: planted });
    expect(await handle.result()).toEqual({
      small: { note: planted, at: new Date(0) },
      large: planted.length * 30_000,
      told: { word: planted },
    });
    const mapped = await client.submit(Mapped, { note: planted });
    expect(await mapped.result()).toEqual([`${planted}A`, `${planted}B`].map((text) => text.toUpperCase()));
    const stored = (await everything(handle.id)) + (await everything(mapped.id));
    expect(stored.match(/sealed:/g)?.length).toBeGreaterThan(8);
    expect(stored.toLowerCase()).not.toContain(planted);
    const inspection = await client.runs.inspect(handle.id);
    expect(inspection.params).toEqual({ note: planted });
    expect(inspection.taskRuns.find(({ name }) => name === 'small')?.callArgs?.[0]).toEqual({ json: planted });
  });

  test('without the key, or with another, a value is refused in one sentence with its key, and the old key reads on', async () => {
    const { client } = await engineWith(ringOf(first));
    const { id } = await client.submit(Mapped, { note: planted });
    await expect.poll(async () => (await raw.runs.get(id))?.state.type).toBe('COMPLETED');
    for (const ring of [null, ringOf(second)]) {
      const other = await engineWith(ring);
      expect((await other.client.runs.list({ limit: 5 })).items).toHaveLength(1);
      await expect(other.client.runs.inspect(id)).rejects.toMatchObject({
        code: 'PAYLOAD_UNREADABLE',
        message: expect.stringContaining(ringOf(first).currentId),
      });
    }
    const both = await engineWith(ringOf(second, first));
    expect((await both.client.runs.inspect(id)).params).toEqual({ note: planted });
  });

  test('what was recorded in clear before there was a key is read, and a run that was begun so is continued', async () => {
    const before = await engineWith(null);
    const { id } = await before.client.submit(Mapped, { note: planted });
    await expect.poll(async () => (await raw.runs.get(id))?.state.type).toBe('COMPLETED');
    expect(decodeValue((await raw.runs.get(id))?.params ?? null)).toEqual({ note: planted });
    const { client } = await engineWith(ringOf(first));
    expect((await client.runs.inspect(id)).result).toEqual([`${planted}A`, `${planted}B`].map((text) => text.toUpperCase()));
  });

  test('a run that waits is claimed, suspended and continued by others with the key', async () => {
    const maker = await engineWith(ringOf(first));
    const handle = await maker.client.submit(Sealed, { note: planted });
    await expect.poll(async () => (await raw.taskRuns.ofRun(handle.id)).some(({ name }) => name === 'signal:go')).toBe(true);
    const engine = maker.engine;
    await engine.handBack(0);
    const next = await engineWith(ringOf(second, first));
    await next.client.runs.signal(handle.id, 'go', { word: 'on' });
    const resumed = await next.client.runs.resume(handle.id);
    expect(await resumed.result()).toMatchObject({ small: { note: planted }, told: { word: 'on' } });
    expect((await everything(handle.id)).toLowerCase()).not.toContain(planted);
  });
});
