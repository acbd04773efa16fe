/** A process of a task whose worker is killed. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { builtFile } from '../../src/base/installed.ts';
import { makeProject } from '../support/project-folder.ts';

const flow = `
import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { Flow, Task } from 'batuta';
@Flow()
export class Spins {
  @Task({ isolate: 'process' }) spin() {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 1, 1000)'], { stdio: 'ignore' });
    writeFileSync('pids.tmp', JSON.stringify([process.pid, child.pid]));
    renameSync('pids.tmp', 'pids.json');
    for (;;);
  }
}
`;

test('ends with the worker that is killed, though it never gives way, and takes along what it has started', async () => {
  const project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'flows/spins.ts': flow });
  const pidsFile = `${project.path}/pids.json`;
  const env = { ...process.env, BATUTA_DATABASE_URL: `sqlite:${project.path}/b.db` };
  const running = spawn(process.execPath, [builtFile('cli/main.js'), 'run', 'flows/spins.ts'], { cwd: project.path, env, stdio: 'ignore' });
  try {
    await expect.poll(() => existsSync(pidsFile), { timeout: 30_000, interval: 50 }).toBe(true);
    const pids = JSON.parse(readFileSync(pidsFile, 'utf8')) as readonly number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    running.kill('SIGKILL');
    await expect.poll(() => pids.map(isAlive), { timeout: 20_000, interval: 50 }).toEqual([false, false]);
  } finally {
    running.kill('SIGKILL');
    project.remove();
  }
}, 60_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
