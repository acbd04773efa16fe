/** `batuta connection set|get|ls|delete`. */
import { programName } from '../../base/program-name.ts';
import type { ConnectionWish, ListedConnection, SecretWish } from '../../client/secrets-client.ts';
import { toWire } from '../../client/wire.ts';
import { fieldsOfAddress } from '../../model/connection-address.ts';
import { secretFieldsOf } from '../../model/connection-kinds.ts';
import { maxSecretBytes } from '../../model/secret.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printLines, printList } from '../print.ts';
import { readPlainGiven, readSecretGiven } from '../read-given.ts';
import { usage } from '../read-options.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface SetOptions extends JsonOption {
  readonly kind?: string;
  readonly field: readonly string[];
  readonly secret: readonly string[];
  readonly url?: string;
  readonly description?: string;
}

/** Creates a connection, or merges the given fields into an existing one. */
export async function setConnection(context: CommandContext, name: string, options: SetOptions): Promise<ExitStatus> {
  const address = options.url === undefined ? null : fieldsOfAddress(await readPlainGiven(context, options.url, maxSecretBytes));
  const kind = options.kind ?? address?.kind;
  const given = { ...address?.fields, ...Object.fromEntries(options.field.map(readPair)) };
  for (const field of secretFieldsOf(kind ?? ''))
    if (options.field.some((pair) => pair.startsWith(`${field}=`)))
      throw usage(`${field} is a secret: give it by --secret ${field}, which asks for it, or --secret ${field}=env:NAME.`);
  const secrets: Record<string, SecretWish> = {};
  for (const one of options.secret) Object.assign(secrets, await readSecretField(context, name, one));
  const entry = await withClient(context, async (client) => {
    const before = await client.connections.list().then((all) => all.find((one) => one.name === name));
    const isSame = before !== undefined && (kind === undefined || before.kind === kind);
    const wish: ConnectionWish = {
      ...(kind === undefined ? {} : { kind }),
      ...(Object.keys(given).length === 0 && isSame ? {} : { fields: { ...(isSame ? before.fields : {}), ...given } }),
      secrets,
      ...(options.description === undefined ? {} : { description: options.description }),
    };
    const set = await client.connections.set(name, wish);
    await noteLocally(client, 'connections.set', name, { kind: set.kind, secrets: Object.keys(secrets) });
    return set;
  });
  return printDone(
    context.terminal,
    options,
    connectionJson(entry),
    `Connection ${name} of kind ${entry.kind} is set. Tasks read it by ctx.connection('${name}', '${entry.kind}').`,
  );
}

/** Shows one. */
export async function getConnection(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const entry = await withClient(context, (client) => client.connections.get(name));
  if (options.json) return printJson(context.terminal, connectionJson(entry));
  const { out } = context.terminal;
  printLines(out, [
    `${out.paint.bold(entry.name)}  ${entry.kind}`,
    ...(entry.description === null ? [] : [oneLine(entry.description)]),
    ...Object.entries(entry.fields).map(
      ([field, value]) => `  ${field}: ${oneLine(typeof value === 'string' ? value : JSON.stringify(value))}`,
    ),
    ...Object.entries(entry.secrets).map(
      ([field, place]) => `  ${field}: ${out.paint.dim(place === null ? '(secret, stored)' : `(secret, ${oneLine(place)})`)}`,
    ),
  ]);
  return 0;
}

/** Lists them by name. */
export async function listConnections(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const connections = await withClient(context, (client) => client.connections.list());
  const now = context.clock.now();
  return printList(context, connections, options, {
    columns: [
      { head: 'connection', max: 48 },
      { head: 'kind' },
      { head: 'where', max: 60, drop: 1 },
      { head: 'set', drop: 3 },
      { head: 'for', max: 60, drop: 2 },
    ],
    cells: ({ name, kind, fields, updatedAt, description }) => [
      oneLine(name),
      kind,
      oneLine(String(fields?.['host'] ?? fields?.['baseUrl'] ?? fields?.['bucket'] ?? fields?.['url'] ?? '')),
      updatedAt === undefined ? '' : agoText(updatedAt, now),
      oneLine(description ?? ''),
    ],
    json: connectionJson,
    empty: `No connections yet. Set one: ${programName()} connection set NAME --kind postgres …`,
  });
}

/** Deletes one. */
export async function deleteConnection(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  await withClient(context, async (client) => {
    await client.connections.delete(name);
    await noteLocally(client, 'connections.delete', name, null);
  });
  return printDone(context.terminal, options, [name], `Connection ${name} is gone.`);
}

function readPair(pair: string): [string, unknown] {
  const at = pair.indexOf('=');
  if (at <= 0) throw usage(`-f takes key=value, not '${pair}'.`);
  const text = pair.slice(at + 1);
  return [pair.slice(0, at), /^(?:true|false|[{[].*)$/s.test(text) ? jsonOrText(text) : text];
}

async function readSecretField(context: CommandContext, name: string, given: string): Promise<Record<string, SecretWish>> {
  const [, field = '', from] = /^([\w.-]+)(?:=(.*))?$/s.exec(given) ?? [];
  if (field === '') throw usage('--secret takes the name of a field, or field=env:NAME, field=@path, field=-.');
  if (from !== undefined && /^[a-z][\w-]*:/i.test(from)) return { [field]: { reference: from } };
  return { [field]: { value: await readSecretGiven(context, `${field} of connection '${name}'`, from, maxSecretBytes) } };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function connectionJson({ fields, secrets, ...rest }: ListedConnection): object {
  return { ...toWire(rest), ...(fields && { fields }), ...(secrets && { secrets }) };
}
