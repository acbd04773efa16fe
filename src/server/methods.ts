/** Which methods an address takes, so that a wrong method is answered with 405 and `Allow` instead of 404. */
import type { App } from './parts.ts';

/** Methods of the routes for a path, sorted; empty if there are none. */
export type MethodsOf = (path: string) => readonly string[];

/** Records routes added from now on. The dashboard, which serves all other addresses, does not count. */
export function noteMethods(app: App): MethodsOf {
  const routes = new Map<string, { readonly parts: readonly string[]; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return;
    const route = routes.get(url) ?? { parts: url.split('/'), methods: new Set<string>() };
    for (const one of [method].flat()) route.methods.add(one);
    routes.set(url, route);
  });
  return (path) => {
    // A fixed API word precedes an id or a name, as in the router.
    const exact = routes.get(path);
    if (exact) return [...exact.methods].toSorted();
    const asked = path.split('/');
    const fitting = [...routes.values()].filter(
      ({ parts }) =>
        parts.length === asked.length && parts.every((part, at) => part === asked[at] || (part.startsWith(':') && asked[at] !== '')),
    );
    return [...new Set(fitting.flatMap(({ methods }) => [...methods]))].toSorted();
  };
}
