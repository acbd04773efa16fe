/** Alerts and errors over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import { plainJsonText } from '../../model/plain-json.ts';
import type { AlertsClient, ErrorsClient } from '../alerts-client.ts';
import type { Api } from './api.ts';
import { isoOf, put, read, readItems, readPage, remove, send } from './wire-values.ts';

export function httpAlerts(api: Api): AlertsClient {
  return {
    async list({ states, ...filter } = {}) {
      checkFilter('alerts', { states, ...filter });
      return await readPage(api, ['alerts'], { ...filter, state: states });
    },
    get: (id) => read(api, ['alerts', id]),
    resolve: (id) => send(api, ['alerts', id, 'resolve']),
    rules: () => readItems(api, ['alert-rules']),
    rule: (name) => read(api, ['alert-rules', name]),
    async setRule(name, spec, source) {
      plainJsonText(spec, `alert ${name}`);
      return await put(api, ['alert-rules', name], { ...spec, ...source });
    },
    deleteRule: (name, { origin } = {}) => remove(api, ['alert-rules', name], { origin }),
    pauseRule: (name) => send(api, ['alert-rules', name, 'pause'], {}, { repeatable: true }),
    resumeRule: (name) => send(api, ['alert-rules', name, 'resume'], {}, { repeatable: true }),
    testRule: (name) => send(api, ['alert-rules', name, 'test']),
    firings: (rule, options) => readItems(api, ['alert-rules', rule, 'firings'], options),
    silences: () => readItems(api, ['alert-silences']),
    silence: (spec) => send(api, ['alert-silences'], spec),
    unsilence: (id) => remove(api, ['alert-silences', id]),
  };
}

export function httpErrors(api: Api): ErrorsClient {
  return {
    async list({ since, ...filter } = {}) {
      checkFilter('errors', { since, ...filter });
      return await readPage(api, ['errors'], { ...filter, since: isoOf(since) });
    },
    get: (key, flow) => read(api, ['errors', key], { flow }),
    mark: (key, state, { flow } = {}) => send(api, ['errors', key, 'mark'], { state, flow }, { repeatable: true }),
  };
}
