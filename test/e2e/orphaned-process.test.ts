/** Processes whose worker is killed: those of tasks, and those of runs on trial. */
import { fork, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
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

test('of a run on trial ends with the worker that is killed before it has opened its client, and claims nothing', async () => {
  const flow = `
    import { writeFileSync } from 'node:fs';
    import { Flow, Task } from 'batuta';
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    writeFileSync('loaded', '');
    @Flow() export class Never { @Task() never() { return new Promise(() => undefined); } }
  `;
  const project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'flows/never.ts': flow });
  const databaseUrl = `sqlite:${project.path}/b.db`;
  const { config } = await loadConfig({ env: { BATUTA_DATABASE_URL: databaseUrl, BATUTA_FLOWS: `${project.path}/flows` } });
  const alone = fork(builtFile('worker/alone.js'), [], { cwd: project.path, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  try {
    const ended = new Promise((resolve) => alone.once('exit', resolve));
    alone.send({ order: { config, cwd: project.path, kind: 'run', id: '0192f0c1-0000-7000-8000-000000000000' } }, () => alone.disconnect());
    expect(await ended).toBe(1);
    expect(existsSync(`${project.path}/loaded`)).toBe(false);
  } finally {
    alone.kill('SIGKILL');
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
