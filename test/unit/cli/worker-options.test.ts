import { expect, it } from 'vitest';
import { serveAsWorker } from '../../../src/cli/commands/fleet.ts';
import type { CommandContext } from '../../../src/cli/context.ts';

/** What is wrong with the options is told before the settings are looked at. */
const nothing = {} as CommandContext;

it.each([
  [{ queue: ['default', ''] }, 'NAME_INVALID', '"" is not a valid name for a queue.'],
  [{ queue: ['a b'] }, 'NAME_INVALID', '"a b" is not a valid name for a queue.'],
  [{ name: '' }, 'USAGE', '--name must be 1 to 200 characters in one line, not "".'],
  [{ name: 'a\nb' }, 'USAGE', '--name must be 1 to 200 characters in one line, not "a\\nb".'],
  [{ name: 'x'.repeat(201) }, 'USAGE', '--name must be 1 to 200 characters in one line'],
  [{ grace: '30' }, 'USAGE', "--grace must be a duration such as 30m, 12h or 30d, not '30'."],
  [{ concurrency: '0' }, 'USAGE', '--concurrency must be a whole number from 1 to 10000'],
])('batuta worker with %j is refused', async (wrong, code, message) => {
  await expect(serveAsWorker(nothing, { queue: [], grace: '30s', ...wrong })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});
