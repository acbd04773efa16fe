/**
 * Compresses the answers of lists and documents, which are text that repeats itself.
 *
 * The compressed length of an answer gives a secret in it away to whoever can choose the rest of it (BREACH), so answers that carry a key
 * or the token of a session go as they are; nor is anything compressed that is asked without a key. Event streams are written past this.
 */
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import type { App } from './parts.ts';

/** Smaller ones gain nothing, bytes. */
const leastBytes = 2_048;
/** Answers with secrets, by address. */
const secret: ReadonlySet<string> = new Set(['/api/me', '/api/login', '/api/keys', '/api/settings']);

/** Adds it; to be called after the guard, which says what each route needs, and before the routes. */
export async function addCompression(app: App): Promise<void> {
  app.addHook('onRoute', (route) => {
    const { needs } = route.config?.access ?? {};
    if (needs === undefined || needs === 'public' || secret.has(route.url) || route.method !== 'GET') route.compress = false;
  });
  await app.register(compress, {
    threshold: leastBytes,
    // In threads of its own and at a low level: nine tenths of what is to be had for a fraction of the time.
    encodings: ['gzip', 'identity'],
    zlibOptions: { level: constants.Z_BEST_SPEED + 2 },
    // Bodies come as they are.
    globalDecompression: false,
    removeContentLengthHeader: true,
    inflateIfDeflated: false,
  });
}
