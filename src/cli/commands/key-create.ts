/** `batuta key create`: a new API key. */
import { BatutaError } from '../../base/errors.ts';
import { type Role, roles } from '../../model/access.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { keyJson, noteLocally } from '../key-changes.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readDuration } from '../read-options.ts';

interface Options {
  readonly name: string;
  readonly role: string;
  readonly expires?: string;
  readonly json?: boolean;
}

/** Prints the key alone on standard output, or `{ key, entry }`. */
export async function createKey(context: CommandContext, options: Options): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const role = readRole(options.role);
  const expiresAt = options.expires === undefined ? null : clock.now() + readDuration('--expires', options.expires);
  const { key, entry } = await withClient(context, async (client) => {
    const made = await client.keys.create({ name: options.name, role, expiresAt });
    await noteLocally(client, 'keys.create', made.entry);
    return made;
  });
  if (options.json) return printJson(terminal, { key, entry: keyJson(entry) });
  terminal.out.line(key);
  const until = expiresAt === null ? '' : ` until ${new Date(expiresAt).toISOString()}`;
  terminal.err.line(
    `Key ${entry.name} of role ${role}${until}. It is not kept and not shown again. Log in with it, or set BATUTA_API_KEY to it.`,
  );
  return 0;
}

function readRole(text: string): Role {
  const role = roles.find((one) => one === text.toLowerCase());
  if (role !== undefined) return role;
  throw new BatutaError('USAGE', `--role is '${text}' but must be one of ${roles.join(', ')}.`);
}
