/** What runs need people to decide. */
import { z } from 'zod';
import type { InboxEntry } from '../../client/inbox-client.ts';
import { toWire } from '../../client/wire.ts';
import { inboxStatuses } from '../../model/inbox.ts';
import type { Identity } from '../identity.ts';
import type { App, RouteParts } from '../parts.ts';
import { givenValue } from '../values.ts';
import { cursorText, documented, given, idParams, idText, limitText, nameText, userValue } from '../schemas/common.ts';

const listQuery = z.strictObject({
  status: z
    .enum([...inboxStatuses, 'all'])
    .optional()
    .describe('Default `open`'),
  flow: nameText.optional(),
  run: idText.optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
const decideBody = z.strictObject({ data: userValue });
const yearMs = 366 * 86_400_000;
const linkBody = decideBody.extend({
  for: nameText.optional().describe('Name of the key who alone may use it; default whoever has it'),
  expiresMs: z.number().int().min(1).max(yearMs).optional().describe('From now on; default 7 days'),
});

export function inboxRoutes(app: App, { client }: RouteParts): void {
  const about = documented('inbox');

  app.get('/api/inbox', about('What runs wait for people to decide, newest first.', { querystring: listQuery }), async (request) => {
    const { run, ...filter } = given(request.query);
    const { items, next } = await client.inbox.list({ ...filter, ...(run === undefined ? {} : { runId: run }) });
    return { items: items.map((item) => toWire(item)), next };
  });

  app.get(
    '/api/inbox/:id',
    about('One decision, by its id or that of the run that waits for it alone.', { params: idParams }),
    async (request) => toWire(await client.inbox.get(request.params.id)),
  );

  app.post(
    '/api/inbox/:id/decide',
    about('Decides; the first decision counts.', { params: idParams, body: decideBody }),
    async (request) => {
      const { identity } = request;
      const decided = await client.inbox.decide(request.params.id, givenValue(request.body.data), {
        by: identity?.who ?? 'local',
        // Browsers send where a request comes from; before the first key there is no session to tell by.
        via: viaOf(identity, request.headers['sec-fetch-site'] !== undefined),
      });
      request.runId = decided.runId;
      request.change = { target: decided.id, details: changeOf(decided) };
      return toWire(decided);
    },
  );

  app.post(
    '/api/inbox/:id/links',
    about('An address that gives this answer once it is opened and confirmed.', { params: idParams, body: linkBody }),
    async (request) => {
      const { data, for: person, expiresMs } = request.body;
      const item = await client.inbox.get(request.params.id);
      const options = given({ for: person, expires: expiresMs });
      const url = await client.inbox.link(item.id, givenValue(data), options);
      request.runId = item.runId;
      request.change = { target: item.id, details: { ...options, run: item.runId } };
      return { url };
    },
  );
}

/** What the audit keeps of a decision: not the answer, which is in the run. */
export function changeOf({ runId, name, title }: InboxEntry): object {
  return { run: runId, name, title };
}

function viaOf(identity: Identity | null, isBrowser: boolean): 'api' | 'dashboard' {
  if (identity?.by === 'local') return isBrowser ? 'dashboard' : 'api';
  return identity?.by === 'session' || (identity?.by === 'host' && identity.csrf !== null) ? 'dashboard' : 'api';
}
