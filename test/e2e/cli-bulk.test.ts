import { afterAll, expect, it } from 'vitest';
import { failing, mapped } from './cli-flows.ts';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject({ 'flows/failing.ts': failing, 'flows/mapped.ts': mapped });
afterAll(() => project.remove());

type Report = { matched: number; changed: number; refused: unknown[]; done: boolean };

async function bulk(...args: string[]): Promise<Report> {
  const { status, stdout, stderr } = await project.batuta('runs', ...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Report;
}

async function states(): Promise<string[]> {
  const { stdout } = await project.batuta('runs', 'ls', '--json');
  return (JSON.parse(stdout) as { state: { name: string } }[]).map(({ state }) => state.name);
}

it('runs are cancelled, tried again and deleted by filters, once --yes is given', async () => {
  await project.batuta('run', 'failing');
  await project.batuta('run', 'failing');
  await project.batuta('run', 'mapped', '--name', 'blue-lake', '--tag', 'blue');
  expect(await states()).toEqual(['Completed', 'Failed', 'Failed']);

  expect(await bulk('retry', '--state', 'failed')).toEqual({ matched: 2, changed: 2, refused: [], done: false });
  expect(await states()).toEqual(['Completed', 'Failed', 'Failed']);
  const told = await project.batuta('runs', 'retry', '--flow', 'failing');
  expect(told.stdout).toBe('2 runs would be handed to the workers again. To retry them, add --yes.\n');
  expect(await bulk('retry', '--state', 'failed', '--yes')).toMatchObject({ matched: 2, changed: 2, done: true });
  expect(await states()).toEqual(['Completed', 'Scheduled', 'Scheduled']);

  expect(await bulk('cancel', '--all', '--yes')).toMatchObject({ matched: 2, changed: 2, done: true });
  expect(await states()).toEqual(['Completed', 'Cancelled', 'Cancelled']);
  expect(await bulk('delete', '--search', 'LAKE', '--yes')).toMatchObject({ matched: 1, changed: 1 });
  expect(await bulk('delete', '--tag', 'none', '--yes')).toMatchObject({ matched: 0, changed: 0 });
  expect(await states()).toEqual(['Cancelled', 'Cancelled']);
});

it('neither ids nor filters, or both, are refused', async () => {
  for (const args of [
    ['cancel'],
    ['delete', 'abcd1234', '--all'],
    ['retry'],
    ['delete', '--all', '--force'],
    ['retry', '--all', '--from', 'x'],
  ]) {
    const { status, stderr } = await project.batuta('runs', ...args);
    expect([status, args, stderr.startsWith('error USAGE: ')]).toEqual([2, args, true]);
  }
});
