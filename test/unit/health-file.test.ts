import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHealthFile, readHealth } from '../../src/observe/health-file.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-health-'));
  path = join(folder, 'inner', 'health');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = fakeClock();

/** Changes what the last beat said. */
function change(changes: object): void {
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...changes }));
}

test('a process that beats is well, until it is silent for longer than its beat is good for', async () => {
  const file = openHealthFile(path, { clock, goodForMs: 5_000 });
  await file.beat();
  expect(await readHealth(path, clock)).toMatchObject({ ok: true });
  await clock.advance(5_000);
  expect((await readHealth(path, clock)).ok).toBe(true);
  await clock.advance(1);
  expect(await readHealth(path, clock)).toEqual({ ok: false, found: expect.stringContaining('it should within 5.0 s') });
  await file.beat();
  expect((await readHealth(path, clock)).ok).toBe(true);
  expect(readdirSync(join(folder, 'inner'))).toEqual(['health']);
});

test('a process that has ended as it should leaves no file', async () => {
  const file = openHealthFile(path, { clock, goodForMs: 5_000 });
  await file.beat();
  await file.remove();
  await file.remove();
  expect(await readHealth(path, clock)).toEqual({ ok: false, found: expect.stringContaining('nothing beats here') });
});

test('a beat of a process that is gone, of another host, or none at all speaks for nobody', async () => {
  const file = openHealthFile(path, { clock, goodForMs: 5_000 });
  await file.beat();
  change({ processStartedAt: 1 });
  expect(await readHealth(path, clock)).toEqual({ ok: false, found: `Process ${process.pid} is gone.` });
  change({ host: 'elsewhere' });
  expect((await readHealth(path, clock)).found).toContain('another host, elsewhere');
  for (const text of ['', 'null', '{"host":"x"}', '{']) {
    writeFileSync(path, text);
    expect((await readHealth(path, clock)).found).toContain('is no sign of life');
  }
  expect((await readHealth(folder, clock)).found).toContain('cannot be read');
});

test('a beat of an earlier version, which does not name the machine, speaks for a process of this host; one of another machine does not', async () => {
  const file = openHealthFile(path, { clock, goodForMs: 5_000 });
  await file.beat();
  const { id, host } = JSON.parse(readFileSync(path, 'utf8')) as { readonly id: string; readonly host: string };
  change({ id: id.replace(/@[0-9a-f]+:/, ':') });
  expect((await readHealth(path, clock)).ok).toBe(true);
  change({ id: id.replace(/@[0-9a-f]+:/, '@0123456789ab:') });
  expect((await readHealth(path, clock)).found).toContain(`another host, ${host}`);
});

test('a file that cannot be written is told, and leaves no halves', async () => {
  writeFileSync(join(folder, 'inner'), '');
  await expect(openHealthFile(path, { clock, goodForMs: 5_000 }).beat()).rejects.toThrow();
  await expect(openHealthFile(folder, { clock, goodForMs: 5_000 }).beat()).rejects.toThrow();
  expect(readdirSync(tmpdir()).filter((name) => name.endsWith('.half') && name.startsWith('batuta-health-'))).toEqual([]);
});

test('without a path nothing is written', async () => {
  const file = openHealthFile(null, { clock, goodForMs: 5_000 });
  await file.beat();
  await file.remove();
  expect(readdirSync(folder)).toEqual([]);
});
