/** What tasks show, its versions by key, its bytes, and what tasks open. */
import { Readable } from 'node:stream';
import contentDisposition from 'content-disposition';
import { z } from 'zod';
import type { ArtifactContent } from '../../client/artifacts-client.ts';
import { toWire, type Wire } from '../../client/wire.ts';
import { artifactFileOf, artifactKinds } from '../../model/artifact.ts';
import type { Artifact } from '../../model/run.ts';
import type { App, RouteParts } from '../parts.ts';
import { cursorText, documented, given, idParams, limitText, line, pageQuery } from '../schemas/common.ts';

const artifactQuery = z.strictObject({
  kind: z.enum(artifactKinds).optional(),
  key: line(200, 1).describe('Versions of this key alone').optional(),
  search: line(200, 1).optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
const keyQuery = z.strictObject({
  search: line(200, 1).describe('Part of the key').optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
  cursor: cursorText.optional(),
});

/** User content is never a page of ours: it runs no script, loads nothing, and has no origin. */
const contentPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox";

export function artifactRoutes(app: App, { client }: RouteParts): void {
  const about = documented('artifacts');
  const { store, results } = client.engine.services;
  const { artifacts, resourceUses } = store;
  const contentOf = (id: string): Promise<ArtifactContent> => client.artifacts.content(id);
  /** The same without reading the file. */
  const headOf = async (id: string): Promise<ArtifactContent> => {
    const artifact = await client.artifacts.get(id);
    const file = artifactFileOf(artifact);
    if (file === null || !artifact.ref) return await contentOf(id);
    return { fileName: file.fileName, type: file.type, bytes: await results.size(artifact.ref), pieces: Readable.from([]) };
  };

  app.get(
    '/api/artifacts',
    about('What tasks show, across runs, newest first; large data is left out. With `key` the versions of that key.', {
      querystring: artifactQuery,
    }),
    async (request) => {
      const { items, next } = await client.artifacts.list(given(request.query));
      return { items: items.map(artifactJson), next };
    },
  );

  app.get(
    '/api/artifacts/keys',
    about('Keys under which there are versions, in their order, each with its newest.', { querystring: keyQuery }),
    async (request) => {
      const { items, next } = await client.artifacts.keys(given(request.query));
      return { items: items.map(({ newest, ...key }) => ({ ...key, newest: artifactJson(newest) })), next };
    },
  );

  app.get(
    '/api/artifacts/:id',
    about('One with all its data, by its id or the last 8 characters of it.', { params: idParams }),
    async (request) => {
      const artifact = await client.artifacts.get(request.params.id);
      request.runId = artifact.runId;
      return artifactJson(artifact);
    },
  );

  app.get(
    '/api/artifacts/:id/content',
    about(
      'The bytes of a file or an image with their type; of others Markdown or JSON. To be saved: a browser neither shows nor executes it.',
      { params: idParams },
    ),
    async (request, reply) => {
      const { fileName, type, bytes, pieces } = await (request.method === 'HEAD' ? headOf : contentOf)(request.params.id);
      void reply
        .type(type)
        .header('content-disposition', contentDisposition(fileName))
        .header('content-security-policy', contentPolicy)
        .header('x-content-type-options', 'nosniff');
      if (bytes !== null) void reply.header('content-length', bytes);
      return reply.send(Readable.from(pieces, { objectMode: false }));
    },
  );

  app.get(
    '/api/runs/:id/artifacts',
    about('What the tasks of a run show, oldest first, as much as 4 MiB hold; data over 8 MiB is left out and says so.', {
      params: idParams,
      querystring: pageQuery,
    }),
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { items, next } = await artifacts.pageOfRun(id, given(request.query));
      return { items: items.map(artifactJson), next };
    },
  );

  app.get(
    '/api/runs/:id/resources',
    documented('runs')(
      'What a run and its tasks have opened, when, for how long, and why it could not be opened or closed; in the order in which opening began.',
      { params: idParams, querystring: pageQuery },
    ),
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { items, next } = await resourceUses.pageOfRun(id, given(request.query));
      return { items: items.map((item) => toWire(item)), next };
    },
  );
}

/** Wire form, without the location of its bytes. */
function artifactJson<A extends Omit<Artifact, 'data'>>({ ref: _ref, ...artifact }: A): Wire<Omit<A, 'ref'>> {
  return toWire(artifact);
}
