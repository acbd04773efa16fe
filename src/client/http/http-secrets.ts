/** Secrets, variables and connections over HTTP. */
import { plainJsonText } from '../../model/plain-json.ts';
import type { ConnectionEntry, ConnectionsClient, SecretsClient, Variable, VariablesClient } from '../secrets-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { pathTo, put, read, readItems, remove } from './wire-values.ts';

interface Items<T> {
  readonly items: readonly T[];
}

export function httpSecrets(api: Api): SecretsClient {
  return {
    list: () => readItems(api, ['secrets']),
    get: (name) => read(api, ['secrets', name]),
    set: (name, wish) => put(api, ['secrets', name], wish),
    delete: (name) => remove(api, ['secrets', name]),
    rotate: () => api.post('secrets/rotate', {}, { repeatable: true }),
  };
}

export function httpVariables(api: Api): VariablesClient {
  return {
    list: async () => (await api.get<Items<WireVariable>>('variables')).items.map(variableOf),
    get: async (name) => variableOf(await api.get(pathTo(['variables', name]))),
    set: async (name, wish) => {
      plainJsonText(wish.value, `variable ${name}`);
      return variableOf(await api.request('PUT', pathTo(['variables', name]), { body: wish }));
    },
    delete: (name) => remove(api, ['variables', name]),
  };
}

export function httpConnections(api: Api): ConnectionsClient {
  return {
    list: async () => (await api.get<Items<WireConnection>>('connections')).items.map(connectionOf),
    get: async (name) => connectionOf(await api.get(pathTo(['connections', name]))),
    set: async (name, wish) => {
      if (wish.fields !== undefined) plainJsonText(wish.fields, `fields of connection ${name}`);
      return connectionOf(await api.request('PUT', pathTo(['connections', name]), { body: wish }));
    },
    delete: (name) => remove(api, ['connections', name]),
  };
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
