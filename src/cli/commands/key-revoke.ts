/** `batuta key revoke`: ends an API key. */
import { BatutaError } from '../../base/errors.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { keyJson, noteLocally } from '../key-changes.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';

/** Ends the one key whose id begins so. */
export async function revokeKey(context: CommandContext, id: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal } = context;
  const entry = await withClient(context, async (client) => {
    const fitting = (await client.keys.list()).filter((key) => key.id === id || (id.length >= 4 && key.id.startsWith(id)));
    if (fitting.length > 1)
      throw new BatutaError('KEY_NOT_FOUND', `The id "${id}" is ambiguous: ${fitting.length} keys begin so. Give more of its characters.`);
    const revoked = await client.keys.revoke(fitting[0]?.id ?? id);
    await noteLocally(client, 'keys.revoke', revoked);
    return revoked;
  });
  if (options.json) return printJson(terminal, keyJson(entry));
  terminal.out.line(`Key ${entry.name} is revoked.`);
  return 0;
}
