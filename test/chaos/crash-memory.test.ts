import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileProgram, type Program, startProgram } from '../support/run-source.ts';

let program: Program;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-memory-'));
  program = await compileProgram(`import './test/chaos/crash-memory-program.ts';`);
});

afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('100,000 mapped items in one run fit into a heap of 256 MB and 450 MB resident', async () => {
  const { ended } = startProgram(program, [`sqlite:${join(folder, 'runs.db')}`], ['--max-old-space-size=256']);
  const { status, stdout, stderr } = await ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('done 5000050000\n');
  expect(Number(/rss (\d+)/.exec(stdout)?.[1])).toBeLessThan(450);
});
