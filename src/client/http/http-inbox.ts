/** The inbox over HTTP. */
import { parseDuration } from '../../base/duration.ts';
import { checkFilter } from '../../model/list-filters.ts';
import type { InboxClient } from '../inbox-client.ts';
import type { Api } from './api.ts';
import { pathTo, read, readPage, send, valueToWire } from './wire-values.ts';

export function httpInbox(api: Api): InboxClient {
  return {
    async list(filter = {}) {
      checkFilter('decisions', filter);
      const { runId, ...rest } = filter;
      return await readPage(api, ['inbox'], { ...rest, run: runId });
    },
    get: (id) => read(api, ['inbox', id]),
    decide: async (id, value) => await send(api, ['inbox', id, 'decide'], { data: valueToWire(value, `decision ${id}`) }),
    async link(id, value, { for: person, expires } = {}) {
      const body = {
        data: valueToWire(value, `decision ${id}`),
        for: person,
        expiresMs: expires === undefined ? undefined : parseDuration(expires),
      };
      return (await api.post<{ readonly url: string }>(pathTo(['inbox', id, 'links']), body, { repeatable: true })).url;
    },
  };
}
