/** `batuta secret set|get|ls|delete|rotate`. */
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { ListedSecret, SecretEntry } from '../../client/secrets-client.ts';
import { toWire } from '../../client/wire.ts';
import { maxSecretBytes } from '../../model/secret.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printLines, printList } from '../print.ts';
import { readSecretGiven } from '../read-given.ts';
import { usage } from '../read-options.ts';
import type { Paint } from '../render/shapes.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface SetOptions extends JsonOption {
  readonly ref?: string;
  readonly value?: string;
  readonly description?: string;
}

/** Creates or replaces a secret. */
export async function setSecret(context: CommandContext, name: string, from: string | undefined, options: SetOptions): Promise<ExitStatus> {
  const { ref, value, description } = options;
  if ([ref, value, from].filter((one) => one !== undefined).length > 1)
    throw usage('Give one of --ref, --value and where the value is read from.');
  const wish =
    ref === undefined ? { value: value ?? (await readSecretGiven(context, `secret '${name}'`, from, maxSecretBytes)) } : { reference: ref };
  const entry = await withClient(context, async (client) => {
    const set = await client.secrets.set(name, { ...wish, ...(description === undefined ? {} : { description }) });
    await noteLocally(client, 'secrets.set', name, { kind: set.kind, ...(set.reference === null ? {} : { reference: set.reference }) });
    return set;
  });
  return printDone(
    context.terminal,
    options,
    secretJson(entry),
    `Secret ${name} is ${entry.reference === null ? `stored, encrypted with the key ${entry.keyId}` : `read from ${entry.reference}`}. Tasks read it by ctx.secret('${name}').`,
  );
}

/** Shows a secret's metadata. */
export async function getSecret(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const entry = await withClient(context, (client) => client.secrets.get(name));
  if (options.json) return printJson(context.terminal, secretJson(entry));
  const { out } = context.terminal;
  const now = context.clock.now();
  printLines(out, [
    `${out.paint.bold(entry.name)}  ${placeOf(entry, out.paint)}`,
    ...(entry.description === null ? [] : [oneLine(entry.description)]),
    out.paint.dim(`set ${agoText(entry.updatedAt, now)}, made ${agoText(entry.createdAt, now)}. Its value is given to tasks alone.`),
  ]);
  return 0;
}

/** Lists them by name. */
export async function listSecrets(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const secrets = await withClient(context, (client) => client.secrets.list());
  const now = context.clock.now();
  return printList(context, secrets, options, {
    columns: [
      { head: 'secret', max: 48 },
      { head: 'kept in', max: 60 },
      { head: 'set', drop: 2 },
      { head: 'for', max: 60, drop: 1 },
    ],
    cells: (secret, paint) => [
      oneLine(secret.name),
      placeOf(secret, paint),
      secret.updatedAt === undefined ? '' : agoText(secret.updatedAt, now),
      oneLine(secret.description ?? ''),
    ],
    json: secretJson,
    empty: `No secrets yet. Set one: ${programName()} secret set NAME`,
  });
}

/** Deletes one. */
export async function deleteSecret(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  await withClient(context, async (client) => {
    await client.secrets.delete(name);
    await noteLocally(client, 'secrets.delete', name, null);
  });
  return printDone(context.terminal, options, [name], `Secret ${name} is gone.`);
}

/** Moves all to the current key; status 1 if one could not be read. */
export async function rotateSecrets(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const report = await withClient(context, async (client) => {
    const rotated = await client.secrets.rotate();
    await noteLocally(client, 'secrets.rotate', null, { keyId: rotated.keyId, moved: rotated.moved, failed: rotated.failed.length });
    return rotated;
  });
  const { keyId, moved, current, failed } = report;
  if (options.json) printJson(terminal, report);
  else
    terminal.out.line(
      `${moved} moved to the key ${keyId}, ${current} had it already${failed.length === 0 ? '. The old key is not needed any more.' : '.'}`,
    );
  if (failed.length === 0) return 0;
  for (const { why } of failed) terminal.err.line(oneLine(why));
  throw new BatutaError(
    'SECRET_KEY_WRONG',
    `${failed.length} could not be moved: list the key of each in BATUTA_SECRET_KEY_OLD and rotate again, or set it anew.`,
  );
}

function placeOf({ kind, reference, keyId }: ListedSecret, paint: Paint): string {
  if (kind === undefined) return paint.dim('admins see where');
  return kind === 'reference' ? oneLine(reference ?? '') : `here, key ${keyId ?? 'unknown'}`;
}

function secretJson(entry: ListedSecret | SecretEntry): object {
  return toWire(entry);
}
