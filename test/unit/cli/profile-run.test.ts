import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunInspection } from '../../../src/client/client.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import { RunProfile } from '../../../src/cli/profile-run.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { ownFolder } from '../../support/own-engine.ts';

test.each(['x', '長', '🌍', 'a/'])('the profiles of runs with a long name of %s lie in a folder for each run', async (part) => {
  const cwd = ownFolder();
  const printed: string[] = [];
  const err = { line: (text: string) => printed.push(text), paint: paintOf(false) };
  const context = { terminal: { cwd, err } } as unknown as CommandContext;
  const ids = ['00000000-0000-7000-8000-0000aaaaaaaa', '00000000-0000-7000-8000-0000bbbbbbbb'];
  for (const id of ids) {
    const profile = await RunProfile.begin(context);
    const inspection = { run: { id, name: part.repeat(150) }, artifacts: [] } as unknown as RunInspection;
    await profile.keep({} as never, inspection);
  }
  expect(printed.map((line) => line.slice(0, 22))).toEqual(ids.map(() => 'CPU profile of the run'));
  const folders = readdirSync(join(cwd, '.batuta', 'profiles'));
  expect(folders).toHaveLength(2);
  for (const folder of folders) expect(readdirSync(join(cwd, '.batuta', 'profiles', folder))).toEqual(['run.cpuprofile']);
});
