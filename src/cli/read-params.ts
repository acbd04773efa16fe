/** Collects the parameters of a run from `--params` and `-p`; what they mean is for the flow's schema. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BatutaError } from '../base/errors.ts';
import { usage } from './read-options.ts';

/** Parameters as they were typed. */
export interface GivenParams {
  /** Undefined when `--params` was not given. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Reads both options. The last of two `-p` of one key wins.
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
  const value = parse(text, where);
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

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BatutaError('PARAMS_NOT_JSON', `${where} is not JSON: ${(cause as Error).message}. Write an object such as {"month":"01"}.`, {
      cause,
    });
  }
}
