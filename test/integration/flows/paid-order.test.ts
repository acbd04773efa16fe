import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PaidOrder } from '../../../flows/paid-order.ts';
import { runHere } from './run-here.ts';

describe('paid-order', () => {
  it('holds the seats, takes the money and sends the ticket', async () => {
    const recorded = await runHere(PaidOrder, (folder) => ({ folder: join(folder, 'orders') }));
    expect(recorded.statesOf('hold')).toEqual(['Completed', 'Completed']);
    expect(recorded.result).toMatch(/^SFO–JFK, 41\d\d km, 8\d\d paid$/);
    expect(recorded.rollback).toBeNull();
  });

  it('gives the money and each seat back when the ticket cannot be sent', async () => {
    const orders = await mkdtemp(join(tmpdir(), 'batuta-orders-'));
    const recorded = await runHere(PaidOrder, { folder: orders, longestKm: 1_000 });
    expect(recorded.run.state.name).toBe('Failed');
    expect(recorded.run.state.message).toMatch(/Rolled back: 3 tasks were undone\.$/);
    expect([recorded.statesOf('hold'), recorded.statesOf('pay')]).toEqual([['RolledBack', 'RolledBack'], ['RolledBack']]);
    expect([recorded.statesOf('refund'), recorded.statesOf('release')]).toEqual([['Completed'], ['Completed', 'Completed']]);
    expect(await readdir(orders)).toEqual([]);
    await rm(orders, { recursive: true });
  });
});
