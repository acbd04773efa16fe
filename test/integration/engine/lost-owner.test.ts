import { describe, expect, test } from 'vitest';
import type { FlowClass } from 'batuta';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { freeze, hang, ledger, reach } from '../../support/take-over.ts';

describe('the owner that was lost', () => {
  test('writes nothing more, and ends its run as given up', async () => {
    const woken = gate();
    const slow = (wait: boolean): FlowClass =>
      makeFlow(
        {
          first: { does: () => (reach(), wait ? woken.opened.then(() => 'the old one') : 'the new one') },
          second: { needs: ['first'], does: (value: string) => (ledger.push(value), value) },
        },
        { name: 'slow' },
      );
    const { handle: lost, openOther } = await freeze(slow(true));
    const second = await openOther({ isOwnerGone: () => true, flows: [slow(false)] });
    const taken = await second.client.runs.resume(lost.id);
    expect(await taken.result()).toBe('the new one');
    const before = await second.client.runs.inspect(lost.id);
    woken.open(undefined);
    await expect(lost.result()).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(ledger).toEqual(['the new one']);
    expect(await second.client.runs.inspect(lost.id)).toEqual(before);
  });

  test('of two that ask at the same time one gets the run, the other is told who has it', async () => {
    const wait = makeFlow({ a: { does: hang } }, { name: 'wait' });
    const frozen = await freeze(wait, {}, { leaseMs: 1, heartbeatMs: 60_000 });
    const { id } = frozen.handle;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const others = await Promise.all([1, 2, 3].map(() => frozen.openOther({ isOwnerGone: () => false, flows: [wait] })));
    const asked = await Promise.allSettled(others.map((it) => it.client.runs.resume(id)));
    expect(asked.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
    for (const it of asked) if (it.status === 'rejected') expect(it.reason).toMatchObject({ code: 'RUN_OWNED', details: { runId: id } });
  });

  test('a run that has ended, or is not there, is not resumed', async () => {
    const { client } = await ownEngine({ flows: [makeFlow({ a: {} })] });
    const handle = await client.submit(makeFlow({ a: {} }));
    await handle.done();
    await expect(client.runs.resume(handle.id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
    await expect(client.runs.resume('00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});
