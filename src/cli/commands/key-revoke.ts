/** `batuta key revoke`: ends an API key. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { keyJson, noteLocally } from '../key-changes.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';

/** Ends the one key whose id begins or ends so. */
export async function revokeKey(context: CommandContext, id: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal } = context;
  const entry = await withClient(context, async (client) => {
    const revoked = await client.keys.revoke(id);
    await noteLocally(client, 'keys.revoke', revoked);
    return revoked;
  });
  if (options.json) return printJson(terminal, keyJson(entry));
  terminal.out.line(`Key ${entry.name} is revoked.`);
  return 0;
}
