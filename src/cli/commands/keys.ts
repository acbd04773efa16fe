/** `batuta key create|ls|revoke`: API keys. */
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import { toWire } from '../../client/wire.ts';
import { type ApiKey, isUsable, type Role, roles } from '../../model/access.ts';
import { shortIds } from '../../model/ids.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printList } from '../print.ts';
import { readDuration } from '../read-options.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface Options extends JsonOption {
  readonly name: string;
  readonly role: string;
  readonly expires?: string;
}

/** Prints only the key on standard output, or `{ key, entry }`. */
export async function createKey(context: CommandContext, options: Options): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const role = readRole(options.role);
  const expiresAt = options.expires === undefined ? null : clock.now() + readDuration('--expires', options.expires);
  const { key, entry } = await withClient(context, async (client) => {
    const made = await client.keys.create({ name: options.name, role, expiresAt });
    await noteLocally(client, 'keys.create', made.entry.id, { name: made.entry.name, role });
    return made;
  });
  if (options.json) return printJson(terminal, { key, entry: keyJson(entry) });
  terminal.out.line(key);
  const until = expiresAt === null ? '' : ` until ${new Date(expiresAt).toISOString()}`;
  const use = role === 'reporter' ? 'Set BATUTA_REPORT_KEY to it where the programs run' : 'Log in with it, or set BATUTA_API_KEY to it';
  terminal.err.line(`Key ${entry.name} of role ${role}${until}. It is not kept and not shown again. ${use}.`);
  return 0;
}

function readRole(text: string): Role {
  const role = roles.find((one) => one === text.toLowerCase());
  if (role !== undefined) return role;
  throw new BatutaError('USAGE', `--role is '${text}' but must be one of ${roles.join(', ')}.`);
}

const columns: readonly Column[] = [
  { head: 'key', max: 40 },
  { head: 'role' },
  { head: 'state' },
  { head: 'last used', drop: 2 },
  { head: 'made', drop: 3 },
  { head: 'id' },
];

/** Prints the keys, newest first. */
export async function listKeys(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const keys = await withClient(context, (client) => client.keys.list());
  const now = context.clock.now();
  const ids = shortIds(keys.map(({ id }) => id));
  return printList(context, keys, options, {
    columns,
    cells: (key, paint) => [
      oneLine(key.name),
      key.role,
      stateOf(key, now, paint),
      key.lastUsedAt === null ? paint.dim('never') : agoText(key.lastUsedAt, now),
      agoText(key.createdAt, now),
      paint.dim(ids.get(key.id) ?? key.id),
    ],
    json: keyJson,
    empty: `No keys yet. Make one: ${programName()} key create --name me --role admin`,
  });
}

function stateOf(key: ApiKey, now: number, paint: Paint): string {
  if (key.revokedAt !== null) return paint.red('revoked');
  if (!isUsable(key, now)) return paint.red('expired');
  return key.expiresAt === null ? paint.green('open') : paint.green(`until ${new Date(key.expiresAt).toISOString().slice(0, 10)}`);
}

/** Revokes the one key whose id begins or ends with `id`. */
export async function revokeKey(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const entry = await withClient(context, async (client) => {
    const revoked = await client.keys.revoke(id);
    await noteLocally(client, 'keys.revoke', revoked.id, { name: revoked.name, role: revoked.role });
    return revoked;
  });
  return printDone(terminal, options, keyJson(entry), `Key ${entry.name} is revoked.`);
}

/** A key as `--json` prints it. */
function keyJson({ id, name, role, createdAt, expiresAt, revokedAt, lastUsedAt }: ApiKey): object {
  return toWire({ id, name, role, createdAt, expiresAt, revokedAt, lastUsedAt });
}
