/** Exports: as files, made while they are sent. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { checkExport, type ExportFormat, exportFormats, exportKinds } from '../../client/export/export-client.ts';
import { onceGone } from '../connections.ts';
import type { App, RouteParts } from '../parts.ts';
import { given } from '../schemas/common.ts';
import { filterOf, runFilter } from '../schemas/runs.ts';

const params = z.strictObject({ kind: z.enum(exportKinds) });
const query = runFilter.extend({
  format: z.enum(exportFormats),
  level: z.coerce.number().int().min(0).max(100).optional().describe('Of logs: lowest level, a number of pino'),
  by: z.enum(['hour', 'day']).optional().describe('Of statistics; default day'),
});

const types: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

export function exportRoutes(app: App, { client }: RouteParts): void {
  app.get(
    '/api/export/:kind',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['export'],
        description:
          'Runs, task runs, transitions, log lines or statistics of the runs that fit, as a file that is made while it is sent. An answer that breaks off is ' +
          'not whole. `statistics` take `flow`, `deployment`, `since` and `until` alone.',
        params,
        querystring: query,
      },
    },
    async (request, reply) => {
      const { kind } = request.params;
      const { format, level, by, ...rest } = request.query;
      const filter = { ...filterOf(rest), ...given({ minLevel: level, by }) };
      // Before the head is sent: later errors can only break off.
      checkExport(kind, format, filter);
      void reply.type(types[format]).header('content-disposition', `attachment; filename="batuta-${kind}.${format}"`);
      // Needed also if it finds nothing to send for long.
      const left = new AbortController();
      onceGone(reply.raw, () => left.abort());
      return reply.send(Readable.from(client.exports.bytes(kind, { format, filter, signal: left.signal }), { objectMode: false }));
    },
  );
}
