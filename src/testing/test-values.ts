/** Secrets, variables and connections of a test, in place of those of a store. */
import { BatutaError } from '../base/errors.ts';
import { hideSecret } from '../base/hidden-values.ts';
import { hintFor } from '../base/nearest.ts';
import { checkKind, secretFieldsOf } from '../model/connection-kinds.ts';
import type { ConnectionValues, NamedValues } from '../model/secret.ts';

/** Fields of a connection, including secret ones. */
export interface TestConnection {
  /** `postgres`, `mysql`, `http`, `s3`; default `generic`. */
  readonly kind?: string;
  readonly [field: string]: unknown;
}

export interface GivenValues {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly connections?: Readonly<Record<string, TestConnection>>;
}

export class TestValues implements NamedValues {
  readonly #given: Required<GivenValues>;

  constructor({ secrets = {}, variables = {}, connections = {} }: GivenValues) {
    this.#given = { secrets, variables, connections };
  }

  async secret(name: string): Promise<string> {
    const { secrets } = this.#given;
    if (!Object.hasOwn(secrets, name)) throw missing('SECRET_NOT_FOUND', 'secret', name, secrets);
    const value = String(secrets[name]);
    hideSecret(value);
    return value;
  }

  async findVariable(name: string): ReturnType<NamedValues['findVariable']> {
    const { variables } = this.#given;
    return Object.hasOwn(variables, name) ? { value: variables[name] } : null;
  }

  async variableMissing(name: string): Promise<BatutaError> {
    return missing('VARIABLE_NOT_FOUND', 'variable', name, this.#given.variables);
  }

  /** @throws BatutaError CONNECTION_INVALID if its fields do not fit its kind */
  async connection(name: string): Promise<ConnectionValues> {
    const { connections } = this.#given;
    const given = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (!given) throw missing('CONNECTION_NOT_FOUND', 'connection', name, connections);
    const { kind: named = 'generic', ...fields } = given;
    const kind = checkKind(named);
    const { checkFields } = await import('../model/connection-schemas.ts');
    const secretFields = secretFieldsOf(kind).filter((field) => fields[field] !== undefined);
    for (const field of secretFields) hideSecret(String(fields[field]));
    return { name, kind, fields: checkFields(name, kind, fields, []), secretFields };
  }
}

function missing(
  code: 'SECRET_NOT_FOUND' | 'VARIABLE_NOT_FOUND' | 'CONNECTION_NOT_FOUND',
  what: string,
  name: string,
  given: Readonly<Record<string, unknown>>,
): BatutaError {
  const hint = hintFor(name, Object.keys(given), 'There are') || ` Give it in the option ${what}s.`;
  return new BatutaError(code, `The test has no ${what} '${name}'.${hint}`, { details: { name } });
}
