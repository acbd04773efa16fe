/** The inbox over HTTP. */
import { parseDuration } from '../../base/duration.ts';
import { checkFilter } from '../../model/list-filters.ts';
import type { InboxPageFilter, Page } from '../../store/store.ts';
import type { InboxClient, InboxEntry, InboxLinkOptions } from '../inbox-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { pageFromWire, valueToWire, type WirePage } from './wire-values.ts';

export class HttpInbox implements InboxClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filter: InboxPageFilter = {}): Promise<Page<InboxEntry>> {
    checkFilter('decisions', filter);
    const { runId, ...rest } = filter;
    const query = { ...rest, ...(runId === undefined ? {} : { run: runId }) };
    return pageFromWire<InboxEntry>(await this.#api.get<WirePage<InboxEntry>>('inbox', query));
  }

  async get(id: string): Promise<InboxEntry> {
    return fromWire<InboxEntry>(await this.#api.get<Wire<InboxEntry>>(pathOf(id)));
  }

  async decide(id: string, value: unknown): Promise<InboxEntry> {
    const body = { data: valueToWire(value, `decision ${id}`) };
    return fromWire<InboxEntry>(await this.#api.post<Wire<InboxEntry>>(`${pathOf(id)}/decide`, body));
  }

  async link(id: string, value: unknown, { for: person, expires }: InboxLinkOptions = {}): Promise<string> {
    const body = {
      data: valueToWire(value, `decision ${id}`),
      ...(person === undefined ? {} : { for: person }),
      ...(expires === undefined ? {} : { expiresMs: parseDuration(expires) }),
    };
    return (await this.#api.post<{ readonly url: string }>(`${pathOf(id)}/links`, body, { repeatable: true })).url;
  }
}

function pathOf(id: string): string {
  return `inbox/${encodeURIComponent(id)}`;
}
