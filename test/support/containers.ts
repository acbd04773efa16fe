/** The compose file and the Dockerfile, as tests read them. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** One service of a compose file, anchors merged. */
export interface ComposeService {
  readonly image?: string;
  readonly container_name?: string;
  readonly init?: boolean;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart?: string;
  readonly healthcheck?: {
    readonly test: readonly string[];
    readonly interval: string;
    readonly timeout: string;
    readonly retries: number;
  };
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

/** One instruction of a Dockerfile. */
export interface Instruction {
  /** Name of the stage it stands in. */
  readonly stage: string;
  readonly name: string;
  /** What follows the name, on one line. */
  readonly rest: string;
}

export function parseCompose(text: string): ComposeFile {
  return parse(text, { merge: true }) as ComposeFile;
}

/**
 * Puts variables in, by the rules of compose for `${NAME:?message}`, `${NAME:-default}` and `$$`.
 *
 * Source: compose-spec, "Interpolation".
 *
 * @throws Error with the message of a variable that must be set and is not, or is empty
 */
export function interpolate<T>(value: T, env: Readonly<Record<string, string>>): T {
  if (typeof value === 'string') return replaceVariables(value, env) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => interpolate(item, env)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate<unknown>(item, env)])) as T;
}

/** Variables that a compose file takes, each with its default; null for one that must be set. */
export function listVariables(text: string): ReadonlyMap<string, string | null> {
  return new Map(
    [...text.matchAll(variable)]
      .filter(([whole]) => whole !== '$$')
      .map(([, name = '', operator, operand]) => [name, operator === ':-' ? (operand ?? '') : null]),
  );
}

/** Instructions of a Dockerfile in their order; comments are left out, continued lines joined. */
export function readDockerfile(path: string): readonly Instruction[] {
  const text = readFileSync(path, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '');
  let stage = '';
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      if (name === 'FROM') stage = / AS (\S+)$/.exec(rest)?.[1] ?? rest;
      return { stage, name, rest };
    });
}

/** Also `$$`, which stands for one `$`; it has no name. */
const variable = /\$\$|\$\{([A-Z0-9_]+)(:[-?])?([^}]*)\}/g;

function replaceVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(variable, (whole, name: string | undefined, operator: string | undefined, operand: string) => {
    if (name === undefined) return whole.slice(1);
    const value = env[name] ?? '';
    if (value !== '' || operator === undefined) return value;
    if (operator === ':?') throw new Error(`${name}: ${operand}`);
    return operand;
  });
}
