/** Who may do what over the network, and who did. Plain data; times are UTC epoch ms. */

/**
 * The first four are ordered, each including those before it: see states, times and graphs; see payloads and logs; run, cancel, pause;
 * change deployments, limits and keys. A reporter may only report its runs; an admin may too.
 */
export const roles = ['observer', 'viewer', 'operator', 'admin', 'reporter'] as const;
export type Role = (typeof roles)[number];

/** Whether `role` may do what `needed` may. */
export function mayAct(role: Role, needed: Role): boolean {
  if (role === 'reporter' || needed === 'reporter') return role === needed || role === 'admin';
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** Whether payloads are hidden from `role`: parameters, results, errors, log text, artifacts and what derives from them. */
export function hidesPayloads(role: Role): boolean {
  return role === 'observer';
}

/** A key as listed; the key itself is shown once, when it is created. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** To the minute. */
  readonly lastUsedAt: number | null;
}

/** Whether a key is valid at that instant. */
export function isUsable({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now);
}

/** One change made by a person. */
export interface AuditEntry {
  /** Entry number. */
  readonly seq: number;
  readonly at: number;
  readonly keyId: string | null;
  /** Name of the key, `local` without one. */
  readonly who: string;
  /** For example `runs.cancel`. */
  readonly action: string;
  /** Id or name of what was changed; null for none or many. */
  readonly target: string | null;
  readonly details: unknown;
}
