/** Who asks, according to the surrounding program. Separate from the server's parts: users see these types. */
import type { IncomingMessage } from 'node:http';
import { BatutaError } from '../base/errors.ts';
import { type Role, roles } from '../model/access.ts';

/** Who asks, as known to the surrounding program. */
export interface Visitor {
  readonly role: Role;
  /** Name for the audit; default `host`. */
  readonly who?: string;
}

/**
 * Says who asks. Null: unknown, so that a key of Batuta or a session opened with one is required.
 *
 * @param request as the program received it
 */
export type Authorize = (request: IncomingMessage) => Role | Visitor | null | Promise<Role | Visitor | null>;

/** @throws BatutaError OPTION_INVALID for an unknown role; and whatever `authorize` throws */
export async function askHost(authorize: Authorize, request: IncomingMessage): Promise<Required<Visitor> | null> {
  const answer = await authorize(request);
  if (answer === null || answer === undefined) return null;
  const { role, who = 'host' } = typeof answer === 'string' ? { role: answer } : answer;
  if (!roles.includes(role))
    throw new BatutaError('OPTION_INVALID', `authorize returned the role ${JSON.stringify(role)}; roles are ${roles.join(', ')}.`);
  return { role, who };
}
