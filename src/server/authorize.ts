/** Who asks, as the program around the server says. Apart from all that a server is made of: users see these types. */
import type { IncomingMessage } from 'node:http';
import { BatutaError } from '../base/errors.ts';
import { type Role, roles } from '../model/access.ts';

/** Who asks, as the program around the server knows. */
export interface Visitor {
  readonly role: Role;
  /** Name for the audit; default `host`. */
  readonly who?: string;
}

/**
 * Says who asks. Null: it does not know, so that a key of Batuta or a session opened with one is asked for.
 *
 * @param request as the program received it
 */
export type Authorize = (request: IncomingMessage) => Role | Visitor | null | Promise<Role | Visitor | null>;

/** @throws BatutaError OPTION_INVALID for a role that does not exist; and whatever `authorize` throws */
export async function askHost(authorize: Authorize, request: IncomingMessage): Promise<Required<Visitor> | null> {
  const answer = await authorize(request);
  if (answer === null || answer === undefined) return null;
  const { role, who = 'host' } = typeof answer === 'string' ? { role: answer } : answer;
  if (!roles.includes(role))
    throw new BatutaError('OPTION_INVALID', `authorize gave the role ${JSON.stringify(role)}; roles are ${roles.join(', ')}.`);
  return { role, who };
}
