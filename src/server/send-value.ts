/** A value of a user as a file. */
import type { FastifyReply } from 'fastify';

/** Sends JSON that a browser saves instead of showing it. `name` holds letters, digits and hyphens only. */
export function sendValue(reply: FastifyReply, text: string, name: string): FastifyReply {
  return reply
    .type('application/json; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}.json"`)
    .send(Buffer.from(text));
}
