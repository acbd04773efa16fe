/** Which methods an address takes, so that one asked with another is answered by 405 and `Allow` instead of as if it did not exist. */
import type { App } from './parts.ts';

/** Methods of the routes that serve a path, sorted; empty when none does. */
export type MethodsOf = (path: string) => readonly string[];

/** Notes the routes that are added from now on. What the dashboard serves, which is any address that is left, does not count. */
export function noteMethods(app: App): MethodsOf {
  const routes = new Map<string, { readonly parts: readonly string[]; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return;
    const route = routes.get(url) ?? { parts: url.split('/'), methods: new Set<string>() };
    for (const one of [method].flat()) route.methods.add(one);
    routes.set(url, route);
  });
  return (path) => {
    // A word of the API comes before an id or a name, as in the router.
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
