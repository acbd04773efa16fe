/**
 * Compresses the answers of lists and documents, which are repetitive text.
 *
 * The compressed length of an answer reveals a secret in it to anyone who can choose the rest of it (BREACH), so answers with a key or a
 * session token are sent as is; nor is anything compressed that needs no key. Event streams bypass this.
 */
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import type { App } from './parts.ts';

/** Smaller ones gain nothing, bytes. */
const leastBytes = 2_048;
/** Answers with secrets, by address. */
const secret: ReadonlySet<string> = new Set(['/api/me', '/api/login', '/api/keys', '/api/settings']);

/** Adds it; call it after the guard, which knows what each route needs, and before the routes. */
export async function addCompression(app: App): Promise<void> {
  app.addHook('onRoute', (route) => {
    const { needs } = route.config?.access ?? {};
    if (needs === undefined || needs === 'public' || secret.has(route.url) || route.method !== 'GET') route.compress = false;
  });
  await app.register(compress, {
    threshold: leastBytes,
    // In separate threads and at a low level: nine tenths of the gain for a fraction of the time.
    encodings: ['gzip', 'identity'],
    zlibOptions: { level: constants.Z_BEST_SPEED + 2 },
    // Bodies are taken as is.
    globalDecompression: false,
    removeContentLengthHeader: true,
    inflateIfDeflated: false,
  });
}
