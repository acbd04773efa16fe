/** The viewer and their permissions. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { ApiError, get, keepCsrf, send } from './http.ts';
import { queryClient } from './query-client.ts';
import type { Me, Role } from './wire-types.ts';

const nobody: Me = { role: null, who: null, csrf: null, needsKey: true };
const ranks: Readonly<Record<Role, number>> = { observer: 0, viewer: 1, operator: 2, admin: 3, reporter: -1 };

/** Who is logged in; `role` is null if a key is needed first. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 60_000,
  queryFn: async ({ signal }): Promise<Me> => {
    const me = await get<Me>('/me', undefined, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) return nobody;
      throw error;
    });
    keepCsrf(me.csrf);
    return me;
  },
});

/** A permission of the viewer. `why` is the sentence to show if it is missing, else null. */
export interface Permission {
  readonly allowed: boolean;
  readonly why: string | null;
}

/**
 * Whether the viewer's role suffices. Actions that are not allowed are drawn disabled, with the reason.
 *
 * @example const may = usePermission('operator'); <Action disabledReason={may.why} …>
 */
export function usePermission(needed: Role): Permission {
  const { data } = useQuery(meQuery);
  const role = data?.role ?? null;
  if (role !== null && ranks[role] >= ranks[needed]) return { allowed: true, why: null };
  return { allowed: false, why: role === null ? 'Log in first.' : `You look with ${keyOf(role)}; this needs ${atLeast[needed]}.` };
}

/** Whether responses include parameters, results, errors, logs and artifacts; the server hides them from an observer. */
export function useSeesPayloads(): boolean {
  const { data } = useQuery(meQuery);
  return data?.role !== 'observer';
}

const atLeast: Readonly<Record<Role, string>> = {
  observer: 'an observer key',
  viewer: 'a viewer key or one that may do more',
  operator: 'an operator or admin key',
  admin: 'an admin key',
  reporter: 'a reporter key',
};

function keyOf(role: Role): string {
  return `${role === 'viewer' || role === 'reporter' ? 'a' : 'an'} ${role} key`;
}

/** Logs in by key. @throws ApiError UNAUTHENTICATED, RATE_LIMITED */
export async function login(key: string): Promise<void> {
  await send('POST', '/login', { key });
  queryClient.clear();
  await queryClient.query({ ...meQuery, staleTime: 0 });
}

/** Continues with a newly created key, without leaving the page: once there is a key, nothing works without one. */
export async function continueWith(key: string): Promise<void> {
  await send('POST', '/login', { key });
  await queryClient.refetchQueries({ queryKey: meQuery.queryKey });
}

/** Ends the session, here and on the server. */
export async function logout(): Promise<void> {
  await send('POST', '/logout');
  keepCsrf(null);
  queryClient.clear();
}
