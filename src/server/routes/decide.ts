/**
 * The page of a link to decide. Viewing it decides nothing, so that previews of mail and chat may fetch it; its button does, once.
 *
 * The link grants access: to anyone who has it, or to the person it names once logged in. It works without scripts.
 */
import { z } from 'zod';
import { cutText } from '../../base/cut-text.ts';
import { isBatutaError } from '../../base/errors.ts';
import type { InboxEntry } from '../../client/inbox-client.ts';
import type { App, RouteParts } from '../parts.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { statusOf } from '../errors.ts';
import { sessionCookie } from '../identity.ts';
import { changeOf } from './inbox.ts';

const tokenParams = z.object({ token: z.string().max(8_192) });
/** Longest answer on the page, characters. */
const maxShownChars = 1_000;

export function decideRoutes(app: App, { client, authenticator, basePath }: RouteParts): void {
  const hidden = { schema: { hide: true, params: tokenParams } } as const;
  const whoOf = async (request: FastifyRequest): Promise<{ who: string | null; keyId: string | null }> => {
    const identity = await authenticator.recognise(request).catch(() => null);
    return { who: identity?.who ?? null, keyId: identity?.keyId ?? null };
  };
  const page = (reply: FastifyReply, status: number, title: string, body: string, head = ''): FastifyReply =>
    reply
      .code(status)
      // Without a referrer a browser would not mark the button's request as ours, and it would be refused.
      .headers({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex', 'referrer-policy': 'same-origin' })
      .type('text/html; charset=utf-8')
      .send(pageOf(basePath, title, body, head));
  const refusal = (request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply => {
    if (!isBatutaError(error) || !shown.has(error.code)) throw error;
    const [status, why] = [statusOf(error.code), `<p role="alert">${escape(error.message)}</p>`];
    if (error.code !== 'DECISION_LINK_NOT_YOURS') return page(reply, status, 'Not decided', why);
    if (mayBeLoggedIn(request)) return page(reply, status, 'One moment', `${why}<p><a href="?here">Continue</a></p>`, goOn);
    return page(reply, status, 'Not decided', `${why}<p><a href="${basePath}/login">Log in</a>, then open the link again.</p>`);
  };

  // A form without scripts sends this type; its content does not matter.
  void app.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 1_024 }, async () => null);

    scope.get('/decide/:token', hidden, async (request, reply) => {
      try {
        const { token } = tokenParams.parse(request.params);
        const { link, item } = await client.inbox.openLink(token, (await whoOf(request)).who);
        return await page(reply, 200, item.title, confirmBody(item, link));
      } catch (error) {
        return refusal(request, reply, error);
      }
    });

    scope.post('/decide/:token', hidden, async (request, reply) => {
      try {
        const { token } = tokenParams.parse(request.params);
        const { who, keyId } = await whoOf(request);
        const decided = await client.inbox.decideByLink(token, who);
        await client.audit.record({
          keyId,
          who: who ?? 'a link',
          action: 'inbox.decide',
          target: decided.id,
          details: { ...changeOf(decided), via: 'link' },
        });
        return await page(reply, 200, 'Decided', `<p role="status">“${escape(decided.title)}” is decided. You may close this page.</p>`);
      } catch (error) {
        return refusal(request, reply, error);
      }
    });
  });

  app.get('/decide.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').type('text/css; charset=utf-8').send(styles),
  );
}

/** Opens the same link again, this time from a page of ours. */
const goOn = '<meta http-equiv="refresh" content="0; url=?here">';

/**
 * Whether a browser may have withheld the session cookie, as it does if another site, such as webmail, led here. Without https, browsers do
 * not say whether that was so.
 */
function mayBeLoggedIn({ method, headers, cookies, query }: FastifyRequest): boolean {
  const { authorization, 'sec-fetch-site': from = 'cross-site' } = headers;
  const showsNothing = authorization === undefined && cookies[sessionCookie] === undefined;
  return method !== 'POST' && showsNothing && from === 'cross-site' && !Object.hasOwn(query as object, 'here');
}

const shown: ReadonlySet<string> = new Set([
  ...[
    'DECISION_LINK_INVALID',
    'DECISION_LINK_EXPIRED',
    'DECISION_LINK_NOT_YOURS',
    'DECISION_INVALID',
    'DECISION_REFUSED',
    'INBOX_ITEM_NOT_FOUND',
    'RUN_NOT_FOUND',
  ],
]);

function confirmBody(
  { description, flow, runName, dueAt }: InboxEntry,
  { value, for: person }: { readonly value: string; readonly for: string | null },
): string {
  const { json } = JSON.parse(value) as { readonly json: unknown };
  const facts = [
    ['Flow', `${flow}, run ${runName}`],
    ...(person === null ? [] : [['For', person]]),
    ...(dueAt === null ? [] : [['Until', new Date(dueAt).toISOString().replace('T', ' ').slice(0, 16).concat(' UTC')]]),
    ...answerLines(json).map(([name, text]) => [name, text]),
  ];
  const list = facts.map(([name = '', text = '']) => `<dt>${escape(name)}</dt><dd>${escape(text)}</dd>`).join('');
  const more = description === null ? '' : `<p class="more">${escape(description)}</p>`;
  return `${more}<dl>${list}</dl><form method="post"><button type="submit">Confirm this decision</button></form>`;
}

/** The answer, field by field. */
function answerLines(json: unknown): [string, string][] {
  const text = (value: unknown): string => cutText(typeof value === 'string' ? value : JSON.stringify(value), maxShownChars, '…');
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [['Answer', text(json)]];
  return Object.entries(json).map(([name, value]) => [name, value === true ? 'yes' : value === false ? 'no' : text(value)]);
}

function pageOf(basePath: string, title: string, body: string, head: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)} · Batuta</title>
<link rel="stylesheet" href="${basePath}/decide.css">${head}
</head>
<body><main><h1>${escape(title)}</h1>${body}</main></body>
</html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const styles = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 24px; }
main { max-width: 36rem; margin: 8vh auto 0; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
.more { white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; }
dt { opacity: .7; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
button { font: inherit; padding: 8px 20px; margin-top: 12px; cursor: pointer; }
`;
