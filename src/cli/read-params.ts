/** The parameters of a run from `--params` and `-p`, and the flow whose schema reads them. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LoadedConfig } from '../base/config.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { findFlow } from '../define/find-flow.ts';
import { paramsFromText } from '../engine/submit/params.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { CommandContext } from './context.ts';
import { asksServer } from './open.ts';
import { loadQuietly } from './output-capture.ts';
import { usage } from './read-options.ts';

/** Parameters as typed. */
export interface GivenParams {
  /** Undefined if `--params` was not given. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Reads both options. Of two `-p` with the same key, the last wins.
 *
 * @param json text of a JSON object, or `@` and the path of a file that holds one.
 * @throws BatutaError PARAMS_NOT_JSON, USAGE
 */
export async function readParams(json: string | undefined, pairs: readonly string[], cwd: string): Promise<GivenParams> {
  const texts = Object.fromEntries(pairs.map(readPair));
  return { data: json === undefined ? undefined : await readObject(json, cwd), texts };
}

function readPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  if (at <= 0) throw usage(`-p takes key=value, not '${pair}'.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

async function readObject(json: string, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  const fromFile = json.startsWith('@');
  const where = fromFile ? `The file ${json.slice(1)}` : '--params';
  const text = fromFile ? await readText(json.slice(1), cwd) : json;
  const value = parseObject(text, where);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  const kind = Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
  throw new BatutaError('PARAMS_NOT_JSON', `${where} must hold a JSON object such as {"month":"01"}, not ${kind}.`);
}

async function readText(path: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : `cannot be read (${(cause as Error).message})`;
    throw new BatutaError('PARAMS_NOT_JSON', `The file ${path} of --params ${why}.`, { cause });
  }
}

function parseObject(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BatutaError('PARAMS_NOT_JSON', `${where} is not JSON: ${(cause as Error).message}. Write an object such as {"month":"01"}.`, {
      cause,
    });
  }
}

/**
 * Finds the flow in the project. With a server, whose flows need not be here, a flow that is not found stays a name; texts that
 * are JSON are then read as JSON.
 *
 * @returns `params` undefined if none were given. @throws BatutaError FLOW_NOT_FOUND, FLOW_AMBIGUOUS, FILE_…, PARAMS_INVALID
 */
export async function flowWithParams(
  context: CommandContext,
  settings: LoadedConfig,
  target: string,
  given: GivenParams,
): Promise<{ readonly flow: FlowDefinition | string; readonly params: unknown }> {
  const isGiven = given.data !== undefined || Object.keys(given.texts).length > 0;
  const definition = await loadQuietly(context, () =>
    findFlow(target, { flowsPath: settings.config.flows, cwd: context.terminal.cwd }),
  ).catch((error: unknown) => {
    if (asksServer(settings) && (isBatutaError(error, 'FLOW_NOT_FOUND') || isBatutaError(error, 'FILE_NOT_FOUND'))) return null;
    throw error;
  });
  if (!isGiven) return { flow: definition ?? target, params: undefined };
  if (definition) return { flow: definition, params: await paramsFromText(definition, given.data, given.texts) };
  return { flow: target, params: plainParams(given) };
}

/** Parameters without a schema: texts that are JSON are read as JSON. */
export function plainParams({ data, texts }: GivenParams): Readonly<Record<string, unknown>> {
  return { ...data, ...Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, jsonOrText(text)])) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
