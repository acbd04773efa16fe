/** How a process learns that another has written to the SQLite file they share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { ForeignWrites } from '../../../src/broker/local/foreign-writes.ts';
import type { TicketKeeper } from '../../../src/broker/local/ticket-table.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';

let folder: string;
let own: Store;
let other: Store;
const made: ForeignWrites[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-writes-'));
  const url = `sqlite:${join(folder, 'batuta.db')}`;
  own = await openStore({ url });
  other = await openStore({ url });
});
afterEach(async () => {
  for (const foreign of made.splice(0)) await foreign.stop();
  await own.close();
  await other.close();
  rmSync(folder, { recursive: true });
});

/** Changes noticed so far, and the wait for one more. */
class Noticed {
  count = 0;
  #next: (() => void) | null = null;

  readonly take = async (): Promise<void> => {
    this.count += 1;
    this.#next?.();
  };

  more(): Promise<void> {
    return new Promise((resolve) => (this.#next = resolve));
  }
}

function watch(noticed: Noticed, keeper: Partial<TicketKeeper> = {}): ForeignWrites {
  const foreign = new ForeignWrites({
    keeper: { dataVersion: () => own.dataVersion(), watchWrites: (onWrite) => own.watchWrites(onWrite), ...keeper },
    clock: systemClock,
    random: () => 0.5,
    onChange: noticed.take,
    onError(error) {
      throw error;
    },
  });
  made.push(foreign);
  foreign.start();
  return foreign;
}

const write = (store: Store): Promise<void> => store.tickets.notify({ at: 0, writer: 'test', channel: 'any', message: 'any' });

describe('a write of another process', () => {
  test.runIf(process.platform === 'linux')('is told of by the file system, without the database being asked before', async () => {
    let asked = 0;
    const noticed = new Noticed();
    watch(noticed, { dataVersion: () => (asked++, own.dataVersion()) });
    const before = asked;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([before, asked]).toEqual([1, 1]);
    const more = noticed.more();
    await write(other);
    await more;
  });

  test('is noticed where nobody tells', async () => {
    const noticed = new Noticed();
    watch(noticed, { watchWrites: () => null });
    const more = noticed.more();
    await write(other);
    await more;
  });

  test('is noticed by asking once telling has failed twice', async () => {
    const noticed = new Noticed();
    let watching = true;
    const foreign = watch(noticed, { watchWrites: () => () => void (watching = false) });
    for (let missed = 0; missed < 2; missed++) {
      const more = noticed.more();
      await write(other);
      foreign.checkReports();
      await more;
    }
    await expect.poll(() => watching).toBe(false);
    const more = noticed.more();
    await write(other);
    await more;
    expect(noticed.count).toBe(3);
  });

  test('is told apart from what this process writes itself', async () => {
    const noticed = new Noticed();
    watch(noticed);
    await write(own);
    const more = noticed.more();
    await write(other);
    await more;
    expect(noticed.count).toBe(1);
  });

  test('is no longer noticed after the end', async () => {
    const noticed = new Noticed();
    const foreign = watch(noticed);
    await foreign.stop();
    await write(other);
    foreign.checkReports();
    expect(noticed.count).toBe(0);
  });
});
