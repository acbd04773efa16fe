/** Secrets, variables and connections over HTTP. */
import type {
  ConnectionEntry,
  ConnectionsClient,
  ConnectionWish,
  ListedConnection,
  ListedSecret,
  RotationReport,
  SecretEntry,
  SecretsClient,
  Variable,
  VariablesClient,
} from '../secrets-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';

interface Items<T> {
  readonly items: readonly T[];
}

export class HttpSecrets implements SecretsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(): Promise<readonly ListedSecret[]> {
    return (await this.#api.get<Items<Wire<ListedSecret>>>('secrets')).items.map((item) => fromWire<ListedSecret>(item));
  }

  async get(name: string): Promise<SecretEntry> {
    return fromWire<SecretEntry>(await this.#api.get<Wire<SecretEntry>>(pathOf('secrets', name)));
  }

  async set(name: string, wish: Parameters<SecretsClient['set']>[1]): Promise<SecretEntry> {
    return fromWire<SecretEntry>(await this.#api.request<Wire<SecretEntry>>('PUT', pathOf('secrets', name), { body: wish }));
  }

  async delete(name: string): Promise<void> {
    await this.#api.request('DELETE', pathOf('secrets', name));
  }

  rotate(): Promise<RotationReport> {
    return this.#api.post<RotationReport>('secrets/rotate', {}, { repeatable: true });
  }
}

export class HttpVariables implements VariablesClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(): Promise<readonly Variable[]> {
    return (await this.#api.get<Items<WireVariable>>('variables')).items.map(variableOf);
  }

  async get(name: string): Promise<Variable> {
    return variableOf(await this.#api.get<WireVariable>(pathOf('variables', name)));
  }

  async set(name: string, wish: Parameters<VariablesClient['set']>[1]): Promise<Variable> {
    return variableOf(await this.#api.request<WireVariable>('PUT', pathOf('variables', name), { body: wish }));
  }

  async delete(name: string): Promise<void> {
    await this.#api.request('DELETE', pathOf('variables', name));
  }
}

export class HttpConnections implements ConnectionsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(): Promise<readonly ListedConnection[]> {
    return (await this.#api.get<Items<WireConnection>>('connections')).items.map(connectionOf);
  }

  async get(name: string): Promise<ConnectionEntry> {
    return connectionOf(await this.#api.get<WireConnection>(pathOf('connections', name)));
  }

  async set(name: string, wish: ConnectionWish): Promise<ConnectionEntry> {
    return connectionOf(await this.#api.request<WireConnection>('PUT', pathOf('connections', name), { body: wish }));
  }

  async delete(name: string): Promise<void> {
    await this.#api.request('DELETE', pathOf('connections', name));
  }
}

type WireVariable = Wire<Omit<Variable, 'value'>> & Pick<Variable, 'value'>;
type WireConnection = Wire<Omit<ConnectionEntry, 'fields' | 'secrets'>> & Pick<ConnectionEntry, 'fields' | 'secrets'>;

/** Field names are a user's and may look like those of instants. */
function variableOf({ value, ...rest }: WireVariable): Variable {
  return { ...fromWire<Omit<Variable, 'value'>>(rest), value };
}

function connectionOf({ fields, secrets, ...rest }: WireConnection): ConnectionEntry {
  return { ...fromWire<Omit<ConnectionEntry, 'fields' | 'secrets'>>(rest), ...(fields && { fields }), ...(secrets && { secrets }) };
}

function pathOf(what: string, name: string): string {
  return `${what}/${encodeURIComponent(name)}`;
}
