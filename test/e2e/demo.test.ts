/** The demo of the README, by the command that `npm run demo` stands for. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageFolder } from '../../src/base/installed.ts';

test('npm run demo prints its tables, ends by itself and says where to look next', () => {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-demo-'));
  try {
    const { scripts } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as { scripts: { demo: string } };
    const [node, ...args] = scripts.demo.split(' ');
    expect(node).toBe('node');
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: packageFolder(),
      env: { ...process.env, BATUTA_DATABASE_URL: `sqlite:${join(folder, 'demo.db')}` },
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('error ')]);
    expect(stdout + stderr).toContain('Denver Intl');
    expect(stdout).toMatch(/✓ Completed in [^]*next {4}npx batuta runs inspect \S{8}/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
