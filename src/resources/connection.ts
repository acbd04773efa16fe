/** `connection()`: a connection as a resource, to be used and injected like any other. */
import { BatutaError } from '../base/errors.ts';
import type { Connection } from '../model/connection.ts';
import { checkKind, type ConnectionKind } from '../model/connection-kinds.ts';
import type { Resource, ResourceScopeName } from '../model/resource.ts';
import { resource, type ResourceOptions } from './resource.ts';

/**
 * Declares a connection (`batuta connection set warehouse --kind postgres …`) as a resource for `ctx.use` and `@Inject`. It is read once
 * per scope, so that all users there see the same values; a later scope sees changes made meanwhile. Its resource name is
 * `connection:warehouse`.
 *
 * @param name of the connection
 * @param kind the expected kind; another fails the opening with `CONNECTION_INVALID` as its cause
 * @param options as of `resource()`; the default scope is `run`
 * @throws BatutaError NAME_INVALID, OPTION_INVALID, OPTION_UNKNOWN, DURATION_INVALID, CONNECTION_INVALID (no such kind)
 * @example ```ts const warehouse = connection('warehouse', 'postgres'); // In a task: const { url } = await ctx.use(warehouse); ```
 */
export function connection<const K extends ConnectionKind, const S extends ResourceScopeName = 'run'>(
  name: string,
  kind: K,
  options: ResourceOptions<S> = {},
): Resource<Connection<K>, void, S> {
  if (typeof name !== 'string') throw new BatutaError('NAME_INVALID', 'connection() takes the name of the connection first, as a text.');
  checkKind(kind);
  return resource(`connection:${name}`, (ctx): Promise<Connection<K>> => ctx.connection(name, kind), options) as Resource<
    Connection<K>,
    void,
    S
  >;
}
