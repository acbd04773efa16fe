/** Exports, as a server streams them. */
import { checkExport, type ExportsClient } from '../export/export-client.ts';
import type { Api } from './api.ts';
import { unreachable } from './api-errors.ts';
import { runQuery } from './wire-values.ts';

export function httpExports(api: Api): ExportsClient {
  return {
    async *bytes(kind, { format, filter = {}, signal }) {
      checkExport(kind, format, filter);
      const { minLevel, by, ...runs } = filter;
      const leaving = new AbortController();
      const ended = signal ? AbortSignal.any([leaving.signal, signal]) : leaving.signal;
      const query = { ...runQuery(runs), format, level: minLevel, by };
      const answer = await api.openStream(`export/${kind}`, query, { accept: '*/*' }, ended);
      try {
        for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) yield piece;
      } catch (error) {
        signal?.throwIfAborted();
        api.closed.throwIfAborted();
        // What has come is no whole export.
        throw unreachable(api.server, error);
      } finally {
        leaving.abort();
      }
    },
  };
}
