/** Exports, as streamed by a server. */
import { checkExport, type ExportsClient } from '../export/export-client.ts';
import type { Api } from './api.ts';
import { unreachable } from './api-errors.ts';
import { runQuery } from './wire-values.ts';

export function httpExports(api: Api): ExportsClient {
  return {
    async *bytes(kind, { format, filter = {}, signal }) {
      checkExport(kind, format, filter);
      const { minLevel, by, ...runs } = filter;
      const query = { ...runQuery(runs), format, level: minLevel, by };
      const pieces = await api.openStream(`export/${kind}`, query, { accept: '*/*' }, signal);
      try {
        yield* pieces;
      } catch (error) {
        signal?.throwIfAborted();
        api.closed.throwIfAborted();
        // An incomplete export.
        throw unreachable(api.server, error);
      }
    },
  };
}
