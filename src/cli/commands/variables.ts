/** `batuta variable set|get|ls|delete`. */
import { programName } from '../../base/program-name.ts';
import type { Variable } from '../../client/secrets-client.ts';
import { toWire } from '../../client/wire.ts';
import { maxVariableBytes } from '../../model/secret.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printList } from '../print.ts';
import { readPlainGiven } from '../read-given.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface SetOptions extends JsonOption {
  readonly text?: boolean;
  readonly description?: string;
}

/** Creates or replaces a variable. */
export async function setVariable(context: CommandContext, name: string, given: string, options: SetOptions): Promise<ExitStatus> {
  const text = await readPlainGiven(context, given, maxVariableBytes);
  const value = options.text ? text : jsonOrText(text);
  const { description } = options;
  const variable = await withClient(context, async (client) => {
    const set = await client.variables.set(name, { value, ...(description === undefined ? {} : { description }) });
    await noteLocally(client, 'variables.set', name, null);
    return set;
  });
  return printDone(
    context.terminal,
    options,
    variableJson(variable),
    `Variable ${name} is ${shown(variable.value)}. Tasks read it by ctx.variable('${name}').`,
  );
}

/** Prints the value: text as it is, anything else as JSON. */
export async function getVariable(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const variable = await withClient(context, (client) => client.variables.get(name));
  const { value } = variable;
  return printDone(context.terminal, options, variableJson(variable), typeof value === 'string' ? value : JSON.stringify(value, null, 2));
}

/** Lists them by name. */
export async function listVariables(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const variables = await withClient(context, (client) => client.variables.list());
  const now = context.clock.now();
  return printList(context, variables, options, {
    columns: [
      { head: 'variable', max: 48 },
      { head: 'value', max: 60 },
      { head: 'set', drop: 2 },
      { head: 'for', max: 60, drop: 1 },
    ],
    cells: ({ name, value, updatedAt, description }) => [oneLine(name), shown(value), agoText(updatedAt, now), oneLine(description ?? '')],
    json: variableJson,
    empty: `No variables yet. Set one: ${programName()} variable set NAME VALUE`,
  });
}

/** Deletes one. */
export async function deleteVariable(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  await withClient(context, async (client) => {
    await client.variables.delete(name);
    await noteLocally(client, 'variables.delete', name, null);
  });
  return printDone(context.terminal, options, [name], `Variable ${name} is gone.`);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function shown(value: unknown): string {
  return oneLine(JSON.stringify(value));
}

function variableJson({ value, ...rest }: Variable): object {
  return { ...toWire(rest), value };
}
