/** The dashboard: its built files, and its page for every address of its own. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { App } from './parts.ts';
import { notFound } from './errors.ts';

const notBuilt =
  'The dashboard is not built. The API works, and is described at /api/docs. From a checkout, build the dashboard with: npm run build\n';

/** As the build leaves it in the page: all links of the page, its scripts and its styles are relative to it. */
const baseTag = '<base href="/" />';

/** Adds it. Unserved addresses below /api, /health and /hooks stay unknown. @param basePath public path of everything */
export async function addSite(app: App, folder: string, basePath: string): Promise<void> {
  const page = join(folder, 'index.html');
  await app.register(fastifyStatic, { root: folder, serve: false, index: false, dotfiles: 'deny', preCompressed: true });
  app.get('/*', { schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { readonly '*': string })['*'];
    if (/^(api|health|hooks)(\/|$)/.test(path)) return reply.callNotFound();
    if (!existsSync(page)) return reply.code(503).type('text/plain; charset=utf-8').send(notBuilt);
    const isAsset = path.startsWith('assets/');
    // Names of assets change with their content.
    if (isAsset && isFile(folder, path)) {
      // The build has put compressed copies next to them, which the plugin prefers.
      void reply.header('vary', 'accept-encoding');
      return reply.sendFile(path, { maxAge: '365d', immutable: true, cacheControl: true });
    }
    if (isAsset) throw notFound(request.method, request.url);
    if (path !== '' && path !== 'index.html' && isFile(folder, path)) return reply.sendFile(path, { maxAge: '1h' });
    void reply.header('cache-control', 'no-cache');
    if (basePath === '') return reply.sendFile('index.html', { cacheControl: false });
    const text = await readFile(page, 'utf8');
    return reply.type('text/html; charset=utf-8').send(text.replace(baseTag, `<base href="${basePath}/" />`));
  });
}

/** Whether the site has such a file; paths outside its folder do not count. */
function isFile(folder: string, path: string): boolean {
  const isPlain = /^[\w.@-]+(\/[\w.@-]+)*$/.test(path) && !path.split('/').some((part) => part.startsWith('.'));
  return isPlain && existsSync(join(folder, path)) && /\.\w+$/.test(path);
}
