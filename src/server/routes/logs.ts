/** Log lines of a run: page by page, the last of them, or all as a file. */
import { Readable } from 'node:stream';
import { letOthersIn } from '../../base/clock.ts';
import { wholeTaskRunId } from '../../client/whole-task-run-id.ts';
import { toWire } from '../../client/wire.ts';
import type { LogFilter } from '../../store/store.ts';
import type { App, RouteParts } from '../parts.ts';
import { textOfLine } from '../log-text.ts';
import { documented, given, idParams } from '../schemas/common.ts';
import { logDownloadQuery, logQuery } from '../schemas/runs.ts';
import { TaskLabels } from '../task-labels.ts';

/** Lines per read of a download. */
const pageLines = 5_000;

export function logRoutes(app: App, { client }: RouteParts): void {
  const about = documented('logs');
  const { store } = client.engine.services;

  app.get(
    '/api/runs/:id/logs',
    about('Lines, oldest first, as many as 2 MiB hold; `next` is the number to go on after.', { params: idParams, querystring: logQuery }),
    async (request) => {
      const { task, level, search, after, before, tail, limit } = request.query;
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const filter = given({ taskRunId: await wholeTaskRunId(store, id, task), minLevel: level, search, after, before, tail, limit });
      const { lines, hasMore } = await store.logs.page(id, filter);
      return { items: lines.map((line) => toWire(line)), next: hasMore ? (lines.at(-1)?.seq ?? null) : null };
    },
  );

  app.get(
    '/api/runs/:id/logs/download',
    about('All lines as text.', { params: idParams, querystring: logDownloadQuery }),
    async (request, reply) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { task, level, search } = request.query;
      const filter = given({ taskRunId: await wholeTaskRunId(store, id, task), minLevel: level, search });
      void reply.type('text/plain; charset=utf-8').header('content-disposition', `attachment; filename="${id}.log"`);
      return reply.send(Readable.from(linesOf(id, filter), { objectMode: false }));
    },
  );

  /** Page by page, as fast as the reader takes them. */
  async function* linesOf(id: string, filter: LogFilter): AsyncGenerator<Buffer> {
    const labels = new TaskLabels(client, id);
    for (let after = 0; ; ) {
      const { lines, hasMore } = await store.logs.page(id, { ...filter, after, limit: pageLines });
      await labels.learn(lines.map(({ taskRunId }) => taskRunId));
      if (lines.length > 0) yield Buffer.from(lines.map((line) => textOfLine(line, labels.of(line.taskRunId))).join(''));
      after = lines.at(-1)?.seq ?? after;
      if (!hasMore) return;
      await letOthersIn();
    }
  }
}
