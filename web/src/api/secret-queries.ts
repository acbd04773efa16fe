/** Queries of the page of secrets, variables and connections. */
import { queryOptions } from '@tanstack/react-query';
import { get } from './http.ts';
import type { Audit, ConnectionRow, ListPage, SecretRow, VariableRow } from './wire-types.ts';

/** Secrets by name, without values. */
export const secretsQuery = queryOptions({
  queryKey: ['secrets'],
  queryFn: ({ signal }) => get<{ readonly items: readonly SecretRow[] }>('/secrets', undefined, signal),
  select: ({ items }) => items,
});

/** Variables with their values, by name. */
export const variablesQuery = queryOptions({
  queryKey: ['variables'],
  queryFn: ({ signal }) => get<{ readonly items: readonly VariableRow[] }>('/variables', undefined, signal),
  select: ({ items }) => items,
});

/** Connections by name, secret fields without values. */
export const connectionsQuery = queryOptions({
  queryKey: ['connections'],
  queryFn: ({ signal }) => get<{ readonly items: readonly ConnectionRow[] }>('/connections', undefined, signal),
  select: ({ items }) => items,
});

/** Newest changes searched for the author of one; the audit has the older ones. */
const searchedChanges = 1000;

/** The newest changes made over the server. For admins. */
export const recentChangesQuery = queryOptions({
  queryKey: ['audit', 'recent'],
  queryFn: ({ signal }) => get<ListPage<Audit>>('/audit', { limit: searchedChanges }, signal),
  select: ({ items }) => items,
});
