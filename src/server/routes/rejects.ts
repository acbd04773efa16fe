/** Records that the tasks of a run have rejected: counted, page by page, as a file, and for another try. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { BatutaError } from '../../base/errors.ts';
import { countRejects, readRejects } from '../../client/rejects.ts';
import type { RejectFilter } from '../../model/dead-letters.ts';
import { explainMissingFlow } from '../missing-flow.ts';
import type { App, RouteParts } from '../parts.ts';
import { runJson } from '../run-json.ts';
import { documented, given, idParams, line, prose } from '../schemas/common.ts';

const filterFields = {
  task: line(200, 1).describe('Of this task alone').optional(),
  reason: prose(10_000).describe('With this reason alone').optional(),
};
const filterQuery = z.strictObject(filterFields);
const pageQuery = z.strictObject({
  ...filterFields,
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  cursor: line(20, 1).optional(),
});

/** Characters after which a page ends, however few records it has. */
const maxPageChars = 2 * 1024 * 1024;

export function rejectRoutes(app: App, parts: RouteParts): void {
  const { client } = parts;
  const about = documented('rejects');
  const { store } = client.engine.services;

  app.get(
    '/api/runs/:id/rejects',
    about(
      'Rejected records in the order in which they were kept, each with reason, task and position; as many as 2 MiB hold, at least one.',
      { params: idParams, querystring: pageQuery },
    ),
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { limit = 100, cursor, ...filter } = request.query;
      const from = cursor === undefined ? 0 : placeOf(cursor);
      const items: unknown[] = [];
      let [at, chars] = [0, 0];
      for await (const letter of readRejects(store, id, given(filter) as RejectFilter)) {
        if (at++ < from) continue;
        chars += JSON.stringify(letter).length;
        if (items.length === limit || (items.length > 0 && chars > maxPageChars)) return { items, next: String(at - 1) };
        items.push(letter);
      }
      return { items, next: null };
    },
  );

  app.get(
    '/api/runs/:id/rejects/counts',
    about('How many records were rejected, by task and reason, most first.', { params: idParams, querystring: filterQuery }),
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      return countRejects(store, id, given(request.query) as RejectFilter);
    },
  );

  app.get(
    '/api/runs/:id/rejects/download',
    about('All rejected records, one JSON object a line.', { params: idParams, querystring: filterQuery }),
    async (request, reply) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const letters = readRejects(store, id, given(request.query) as RejectFilter);
      void reply.type('application/x-ndjson; charset=utf-8').header('content-disposition', `attachment; filename="${id}-rejects.jsonl"`);
      return reply.send(Readable.from(linesOf(letters), { objectMode: false }));
    },
  );

  app.post(
    '/api/runs/:id/rejects/retry',
    about('Submits a run in which each task of a stream is given the records that it had rejected.', { params: idParams }),
    async (request, reply) => {
      const rejecting = await client.runs.get(request.params.id);
      const handle = await client.runs
        .retryRejects(rejecting.id)
        .catch((error: unknown) => explainMissingFlow(parts, error, rejecting.flow));
      request.runId = handle.id;
      request.change = { target: handle.id, details: { flow: rejecting.flow, replayOf: rejecting.id } };
      return reply.code(201).send(runJson(await handle.get()));
    },
  );
}

async function* linesOf(letters: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let lines: string[] = [];
  for await (const letter of letters) {
    if (lines.push(`${JSON.stringify(letter)}\n`) < 500) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}

function placeOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new BatutaError('FILTER_INVALID', `The cursor "${cursor}" is not from this list. Leave it out to start from the beginning.`);
}
