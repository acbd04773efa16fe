/** `batuta key ls`: the API keys. */
import { type ApiKey, isUsable } from '../../model/access.ts';
import { shortIds } from '../../model/ids.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { keyJson } from '../key-changes.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import type { Paint } from '../render/paint.ts';
import { type Column, tableLines } from '../render/table.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

const columns: readonly Column[] = [
  { head: 'key', max: 40 },
  { head: 'role' },
  { head: 'state' },
  { head: 'last used', drop: 2 },
  { head: 'made', drop: 3 },
  { head: 'id' },
];

/** Prints the keys, newest first. */
export async function listKeys(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const keys = await withClient(context, (client) => client.keys.list());
  if (options.json) return printJson(terminal, keys.map(keyJson));
  if (keys.length === 0) {
    terminal.err.line('No keys yet. Make one: batuta key create --name me --role admin');
    return 0;
  }
  const { out } = terminal;
  const now = clock.now();
  const ids = shortIds(keys.map(({ id }) => id));
  const rows = keys.map((key) => [
    oneLine(key.name),
    key.role,
    stateOf(key, now, out.paint),
    key.lastUsedAt === null ? out.paint.dim('never') : agoText(key.lastUsedAt, now),
    agoText(key.createdAt, now),
    out.paint.dim(ids.get(key.id) ?? key.id),
  ]);
  for (const line of tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
  return 0;
}

function stateOf(key: ApiKey, now: number, paint: Paint): string {
  if (key.revokedAt !== null) return paint.red('revoked');
  if (!isUsable(key, now)) return paint.red('expired');
  return key.expiresAt === null ? paint.green('open') : paint.green(`until ${new Date(key.expiresAt).toISOString().slice(0, 10)}`);
}
