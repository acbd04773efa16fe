/** The dashboard: the files that its build has made, and its page for every address that is its own. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { App } from './parts.ts';
import { notFound } from './errors.ts';

const notBuilt =
  'The dashboard is not built. The API works, and is described at /api/docs. From a checkout, build the dashboard with: npm run build\n';

/** Adds it. Addresses below /api and /health that no route serves stay unknown. */
export async function addSite(app: App, folder: string): Promise<void> {
  await app.register(fastifyStatic, { root: folder, serve: false, index: false, dotfiles: 'deny', preCompressed: true });
  app.get('/*', { schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { readonly '*': string })['*'];
    if (/^(api|health)(\/|$)/.test(path)) return reply.callNotFound();
    if (!existsSync(join(folder, 'index.html'))) return reply.code(503).type('text/plain; charset=utf-8').send(notBuilt);
    const isAsset = path.startsWith('assets/');
    // Names of assets change with their content.
    if (isAsset && isFile(folder, path)) {
      // The build has laid compressed ones beside them, which the plugin prefers.
      void reply.header('vary', 'accept-encoding');
      return reply.sendFile(path, { maxAge: '365d', immutable: true, cacheControl: true });
    }
    if (isAsset) throw notFound(request.method, request.url);
    if (path !== '' && path !== 'index.html' && isFile(folder, path)) return reply.sendFile(path, { maxAge: '1h' });
    void reply.header('cache-control', 'no-cache');
    return reply.sendFile('index.html', { cacheControl: false });
  });
}

/** Whether the site has such a file; what leads out of its folder is none. */
function isFile(folder: string, path: string): boolean {
  const isPlain = /^[\w.@-]+(\/[\w.@-]+)*$/.test(path) && !path.split('/').some((part) => part.startsWith('.'));
  return isPlain && existsSync(join(folder, path)) && /\.\w+$/.test(path);
}
