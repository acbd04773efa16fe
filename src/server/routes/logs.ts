/** Log lines of a run: page by page, the last of them, or all as a file. */
import { Readable } from 'node:stream';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { textOfLine } from '../log-text.ts';
import { given, idParams } from '../schemas/common.ts';
import { logDownloadQuery, logQuery } from '../schemas/runs.ts';
import { TaskLabels } from '../task-labels.ts';

/** Lines that a download reads at once. */
const pageLines = 5_000;
const usualLines = 1_000;

export function logRoutes(app: App, { client }: RouteParts): void {
  const tags = ['logs'];

  app.get(
    '/api/runs/:id/logs',
    { schema: { tags, description: 'Lines, oldest first; `next` is the number to go on after.', params: idParams, querystring: logQuery } },
    async (request) => {
      const { task, level, search, after, before, tail, limit } = request.query;
      const filter = given({ taskRunId: task, minLevel: level, search, after, before, tail, limit });
      const items = await client.runs.logs(request.params.id, filter);
      const isFull = items.length >= (limit ?? tail ?? usualLines);
      return { items: items.map((item) => toWire(item)), next: isFull ? (items.at(-1)?.seq ?? null) : null };
    },
  );

  app.get(
    '/api/runs/:id/logs/download',
    { schema: { tags, description: 'All lines as text.', params: idParams, querystring: logDownloadQuery } },
    async (request, reply) => {
      const { id } = await client.runs.get(request.params.id);
      const { task, level, search } = request.query;
      const filter = given({ taskRunId: task, minLevel: level, search });
      void reply.type('text/plain; charset=utf-8').header('content-disposition', `attachment; filename="${id}.log"`);
      return reply.send(Readable.from(linesOf(id, filter)));
    },
  );

  /** Page by page, as fast as the reader takes them. */
  async function* linesOf(id: string, filter: object): AsyncGenerator<string> {
    const labels = new TaskLabels(client, id);
    for (let after = 0; ; ) {
      const lines = await client.runs.logs(id, { ...filter, after, limit: pageLines });
      await labels.learn(lines.map(({ taskRunId }) => taskRunId));
      if (lines.length > 0) yield lines.map((line) => textOfLine(line, labels.of(line.taskRunId))).join('');
      after = lines.at(-1)?.seq ?? after;
      if (lines.length < pageLines) return;
    }
  }
}
