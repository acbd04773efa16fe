/** Parameters of a run: validated and coerced by the flow's schema before the run exists. */
import { isDeepStrictEqual } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { BatutaError } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import { issueMessage } from './issue-message.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { jsonSchemaOf, readMarked } from './json-schema.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The parameters as the flow will see them: defaults filled in, values coerced as its schema says. Without a schema they stay as they are.
 *
 * @throws BatutaError PARAMS_INVALID with `details.issues`: list of `{ path, message }`
 */
export async function validateParams(definition: FlowDefinition, given: unknown): Promise<unknown> {
  const asGiven = given ?? {};
  if (!definition.params) return asGiven;
  const first = await validate(definition, definition.params, asGiven);
  // JSON and a command line have no dates, maps and such: a refused value may be meant as one.
  const read = first.issues ? readMarked(definition.params, asGiven) : null;
  const params = read ?? asGiven;
  const result = read === null ? first : await validate(definition, definition.params, read);
  if (result.issues) throw invalid(definition, result.issues, params);
  await refuseUnknown(definition, definition.params, params, result.value);
  return result.value;
}

/**
 * The same for values given as text (`-p key=value`): each is text unless the schema refuses text there; then it is read as JSON. Without a
 * schema, what is JSON is read as JSON.
 *
 * @param given parameters given as data; `texts` take precedence.
 * @throws BatutaError PARAMS_INVALID
 */
export async function paramsFromText(
  definition: FlowDefinition,
  given: unknown,
  texts: Readonly<Record<string, string>>,
): Promise<unknown> {
  const base = isFields(given) ? given : {};
  if (!isFields(given) && given !== undefined && Object.keys(texts).length === 0) return given;
  if (!definition.params) return { ...base, ...mapValues(texts, (text) => readJson(text, text)) };
  const asText: Fields = { ...base, ...texts };
  const first = await validate(definition, definition.params, asText);
  if (!first.issues) return asText;
  const refused = new Set(first.issues.map((issue) => pathOf(issue)[0]));
  const asJson = {
    ...asText,
    ...mapValues(Object.fromEntries(Object.entries(texts).filter(([key]) => refused.has(key))), (text) => readJson(text, text)),
  };
  return asJson;
}

/** A schema that strips unknown fields would run the flow despite a typo: a field that is gone afterwards is refused. */
async function refuseUnknown(definition: FlowDefinition, schema: StandardSchemaV1, given: unknown, validated: unknown): Promise<void> {
  if (!isFields(given) || !isFields(validated)) return;
  const declared = knownFields(schema);
  const known = declared ?? Object.keys(validated);
  const unknown: string[] = [];
  for (const key of Object.keys(given)) {
    if (known.includes(key) || (declared === null && !(await isIdle(definition, schema, given, key, validated)))) continue;
    unknown.push(key);
  }
  const [first] = unknown;
  if (first === undefined) return;
  throw new BatutaError(
    'PARAMS_INVALID',
    `Flow ${definition.name} has no parameter '${first}'.${hintFor(first, known, 'Its parameters are')}`,
    { details: { flow: definition.name, issues: unknown.map((key) => ({ path: key, message: 'Unknown parameter' })) } },
  );
}

/** Whether a field makes no difference: it is gone from the outcome, and the outcome is the same without it. */
async function isIdle(
  definition: FlowDefinition,
  schema: StandardSchemaV1,
  given: Fields,
  key: string,
  validated: Fields,
): Promise<boolean> {
  if (Object.hasOwn(validated, key)) return false;
  const { [key]: _, ...rest } = given;
  const result = await validate(definition, schema, rest);
  return !result.issues && isDeepStrictEqual(result.value, validated);
}

/** The schema's outcome. If a custom check or transform throws, that is a refusal as well. */
async function validate(definition: FlowDefinition, schema: StandardSchemaV1, given: unknown): Promise<StandardSchemaV1.Result<unknown>> {
  try {
    return await schema['~standard'].validate(given);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('PARAMS_INVALID', `The schema of flow ${definition.name} threw on these parameters: ${message}`, {
      cause,
      details: { flow: definition.name, issues: [{ path: '', message }] },
    });
  }
}

/** The fields a schema accepts; null if it accepts others too, or cannot tell. */
export function knownFields(schema: StandardSchemaV1): string[] | null {
  const { properties, additionalProperties } = jsonSchemaOf(schema) ?? {};
  return isFields(properties) && !isFields(additionalProperties) && additionalProperties !== true ? Object.keys(properties) : null;
}

function invalid(definition: FlowDefinition, issues: readonly StandardSchemaV1.Issue[], given: unknown): BatutaError {
  const readable = issues.map((issue) => ({ path: pathOf(issue).join('.'), message: issueMessage(issue) }));
  const told = readable
    .slice(0, 5)
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}${isMissing(given, path) ? ' (it is missing)' : ''}`));
  const more = readable.length > told.length ? ` and ${readable.length - told.length} more` : '';
  return new BatutaError(
    'PARAMS_INVALID',
    `The parameters do not fit flow ${definition.name}: ${told.join('; ').replace(/\.$/, '')}${more}.`,
    {
      details: { flow: definition.name, issues: readable },
    },
  );
}

function isMissing(given: unknown, path: string): boolean {
  let at = given;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return true;
    at = (at as Fields)[key];
  }
  return false;
}

function pathOf(issue: StandardSchemaV1.Issue): string[] {
  return (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues<T, U>(fields: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, change(value)]));
}

function readJson(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
