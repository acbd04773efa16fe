/** The value of a variable as code gets it. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { BatutaError } from '../base/errors.ts';
import type { NamedValues } from './secret.ts';

/**
 * The caller's own value of a variable.
 *
 * @param schema what the value must fit; null: unchecked
 * @throws BatutaError VARIABLE_NOT_FOUND, unless the schema takes undefined; VARIABLE_INVALID
 */
export async function readVariable(values: NamedValues, name: string, schema: StandardSchemaV1 | null): Promise<unknown> {
  const found = await values.findVariable(name);
  if (schema === null) {
    if (found === null) throw await values.variableMissing(name);
    return structuredClone(found.value);
  }
  const result = await schema['~standard'].validate(found === null ? undefined : structuredClone(found.value));
  if (!result.issues) return result.value;
  if (found === null) throw await values.variableMissing(name);
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  throw new BatutaError(
    'VARIABLE_INVALID',
    `The variable '${name}' does not fit what the code expects of it: ${path === '' ? '' : `${path}: `}${issue?.message ?? 'it was refused'}.`,
    { details: { name } },
  );
}

/** Without a store. */
export const noNamedValues: NamedValues = {
  secret: (name) => Promise.reject(new BatutaError('SECRET_NOT_FOUND', `There is no secret '${name}': this engine reads none.`)),
  findVariable: async () => null,
  variableMissing: async (name) => new BatutaError('VARIABLE_NOT_FOUND', `There is no variable '${name}': this engine reads none.`),
  connection: (name) =>
    Promise.reject(new BatutaError('CONNECTION_NOT_FOUND', `There is no connection '${name}': this engine reads none.`)),
};
