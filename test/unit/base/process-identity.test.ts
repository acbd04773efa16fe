import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { identifyProcess, isProcessGone, type ProcessIdentity, readProcessId } from '../../../src/base/process-identity.ts';
import { containerIdIn, machineKey, readMachine } from '../../../src/base/machine.ts';
import { compileProgram, startProgram } from '../../support/run-source.ts';

const program = await compileProgram(`
  import { identifyProcess } from './src/base/process-identity.ts';
  console.log(JSON.stringify(identifyProcess()) + ';');
  setInterval(() => {}, 1000);
`);
afterAll(() => program.remove());
afterEach(() => {
  vi.doUnmock('node:fs');
  vi.resetModules();
});

test('this process is known by host, machine, pid and start, and is not gone', () => {
  const own = identifyProcess();
  expect(own).toMatchObject({ pid: process.pid, id: `${own.host}@${machineKey(readMachine())}:${own.pid}:${own.processStartedAt}` });
  expect(identifyProcess()).toBe(own);
  expect(isProcessGone(own)).toBe(false);
});

test('an id gives back the process that it names, and no other text does', () => {
  expect(readProcessId(identifyProcess().id)).toEqual(identifyProcess());
  expect(readProcessId('host/4026:1:2')).toEqual({ id: 'host/4026:1:2', host: 'host/4026', pid: 1, processStartedAt: 2 });
  for (const text of ['', 'worker-1', '1:2', 'host:1:x', ':1:2']) expect(readProcessId(text)).toBe(null);
});

test('another process is not gone while it lives and gone once it was killed', async () => {
  const run = startProgram(program);
  const [line] = (await once(run.child.stdout ?? run.child, 'data')) as [string];
  const other = JSON.parse(line.slice(0, line.indexOf(';'))) as ProcessIdentity;
  expect(other.host).toBe(identifyProcess().host);
  expect(isProcessGone(other)).toBe(false);
  run.child.kill('SIGKILL');
  await run.ended;
  expect(isProcessGone(other)).toBe(true);
});

test('a pid that was given to a process with another start means that the owner is gone', () => {
  expect(isProcessGone({ ...identifyProcess(), processStartedAt: identifyProcess().processStartedAt - 60_000 })).toBe(true);
});

/** A process that was here and has ended. */
async function deadProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  const { id, host } = identifyProcess();
  const pid = child.pid ?? 0;
  return { id: id.replace(/:\d+:\d+$/, `:${pid}:1`), host, pid, processStartedAt: 1 };
}

test('a process of another machine is never called gone, though its host has the name of this one', async () => {
  const dead = await deadProcess();
  expect(isProcessGone(dead)).toBe(true);
  const elsewhere = { ...dead, id: dead.id.replace(/@[0-9a-f]+:/, `@${machineKey({ ...readMachine(), bootId: 'another' })}:`) };
  expect(elsewhere.id).not.toBe(dead.id);
  expect(isProcessGone(elsewhere)).toBe(false);
  expect(isProcessGone({ ...dead, id: dead.id.replace(/^.*@/, 'elsewhere@') })).toBe(false);
});

test('a process that an earlier version has recorded, whose machine is not known, is left to its lease', async () => {
  const dead = await deadProcess();
  expect(isProcessGone({ ...dead, id: dead.id.replace(/@[0-9a-f]+:/, ':') })).toBe(false);
});

/** As a process sees itself whose /proc says something else; what it does not say is not there. */
async function identityWith(
  proc: Readonly<Record<string, string | null>>,
): Promise<typeof import('../../../src/base/process-identity.ts')> {
  vi.resetModules();
  vi.doMock('node:fs', async (importOriginal) => {
    const fs = await importOriginal<typeof import('node:fs')>();
    const over =
      <Args extends [string, ...unknown[]], Result>(read: (...args: Args) => Result) =>
      (...args: Args): Result | string => {
        const said = proc[args[0]];
        if (said === null) throw new Error(`${args[0]} is not there`);
        return said ?? read(...args);
      };
    return { ...fs, readFileSync: over(fs.readFileSync as never), readlinkSync: over(fs.readlinkSync as never) };
  });
  return await import('../../../src/base/process-identity.ts');
}

test.each([
  ['has no boot id', { '/proc/sys/kernel/random/boot_id': null }],
  ['sees the processes of another name space in /proc', { '/proc/self': '1' }],
])('a process that %s names no machine, and calls no other one gone', async (_what, proc) => {
  // Elsewhere there is no /proc.
  if (process.platform !== 'linux') return;
  const here = await identityWith(proc);
  const own = here.identifyProcess();
  expect(own.id).toBe(`${own.host}:${own.pid}:${own.processStartedAt}`);
  const dead = await deadProcess();
  expect(here.isProcessGone({ ...dead, id: dead.id.replace(/@[0-9a-f]+:/, ':') })).toBe(false);
  expect(here.isProcessGone(dead)).toBe(false);
});

test('a pid that cannot be one is never called gone', () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) expect(isProcessGone({ ...identifyProcess(), pid })).toBe(false);
});

test('machines, containers and name spaces of process ids are distinguished, whatever their hosts are called', () => {
  const facts = { bootId: 'b', namespace: '1', timeNamespace: '2', containerId: 'c' };
  const keys = [
    facts,
    { ...facts, bootId: 'x' },
    { ...facts, namespace: '2' },
    { ...facts, timeNamespace: '1' },
    { ...facts, containerId: 'x' },
  ].map(machineKey);
  expect(new Set(keys).size).toBe(5);
  expect(machineKey({ ...facts })).toBe(keys[0]);
});

test('the id of a container is found among its mounts, and none on a machine that only runs containers', () => {
  const id = '0123456789abcdef'.repeat(4);
  const root = '600 590 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/X';
  for (const place of [
    `/var/lib/docker/containers/${id}`,
    `/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${id}`,
    `/containers/storage/overlay-containers/${id}/userdata`,
  ])
    expect(containerIdIn(`${root}\n612 600 8:1 ${place}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw`)).toBe(id);
  expect(containerIdIn(`${root}\n700 25 0:60 / /var/lib/docker/containers/${id}/mounts/shm rw - tmpfs shm rw`)).toBe(undefined);
  expect(containerIdIn('')).toBe(undefined);
});
