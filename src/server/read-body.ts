/**
 * Reads JSON bodies so that no number of large ones takes the memory, or holds everybody else up.
 *
 * Bytes on their way in are bounded over all requests. Text is looked over before it is parsed: a few bytes of text can become a hundred of
 * memory. What is parsed of large bodies is bounded as well; who comes while it is too much waits until an answer before has been sent.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BatutaError } from '../base/errors.ts';
import { measureJson } from './measure-json.ts';
import type { App } from './parts.ts';

/** Smaller ones neither count nor wait, bytes. */
const smallBytes = 64 * 1024;
/** Text of large bodies that is parsed and not answered yet, bytes; one alone may be larger. */
const maxParsedBytes = 4 * 1024 * 1024;
/** Bodies of the largest size that may be on their way in together. */
const largestTogether = 4;
/** Deepest that a body may be nested; what reads and writes values goes down one level at a time. */
const maxDepth = 100;
/** Most objects and lists that a body may hold. */
const maxContainers = 500_000;

/** Adds the reader for `application/json`. @param maxBytes of the largest body that any route takes */
export function readBodies(app: App, maxBytes: number): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const incoming = new Gate(largestTogether * maxBytes);
  const parsed = new Gate(maxParsedBytes);
  const releases = new WeakMap<FastifyRequest, (release: () => void) => void>();

  app.addHook('preParsing', async (request, reply, payload) => {
    const { 'content-length': announced, 'transfer-encoding': coding } = request.headers;
    if (announced === undefined && coding === undefined) return payload;
    const { bodyLimit } = request.routeOptions;
    const length = Math.min(Number(announced ?? bodyLimit), bodyLimit);
    if (length <= smallBytes) return payload;
    const onClose = whenClosed(reply);
    releases.set(request, onClose);
    if (!incoming.tryEnter(length))
      throw new BatutaError('RATE_LIMITED', 'Too many large requests are on their way to the server; try again in a moment.');
    onClose(() => incoming.leave(length));
    return payload;
  });

  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    refuseTooMuch(bytes);
    if (bytes.length > smallBytes) {
      await parsed.enter(bytes.length);
      const onClose = releases.get(request);
      if (onClose) onClose(() => parsed.leave(bytes.length));
      else parsed.leave(bytes.length);
    }
    return await new Promise((resolve, reject) => {
      void parse(request, bytes.toString('utf8'), (error, body) => (error ? reject(error) : resolve(body)));
    });
  });
}

/** @throws BatutaError REQUEST_INVALID */
function refuseTooMuch(bytes: Buffer): void {
  const { depth, containers } = measureJson(bytes, maxDepth, maxContainers);
  if (depth > maxDepth) throw new BatutaError('REQUEST_INVALID', `The body of the request is nested deeper than ${maxDepth} levels.`);
  if (containers > maxContainers)
    throw new BatutaError('REQUEST_INVALID', `The body of the request holds more than ${maxContainers} objects and lists.`);
}

/** Calls what it is given once the answer has been sent, or nobody waits for it any more. */
function whenClosed({ raw }: FastifyReply): (release: () => void) => void {
  const releases: (() => void)[] = [];
  let isClosed = raw.closed || raw.destroyed;
  raw.once('close', () => {
    isClosed = true;
    for (const release of releases.splice(0)) release();
  });
  return (release) => (isClosed ? release() : void releases.push(release));
}

/** Room for so many bytes. What is larger than all of it goes in alone. First come, first served. */
class Gate {
  readonly #max: number;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  #inside = 0;

  constructor(max: number) {
    this.#max = max;
  }

  tryEnter(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) return false;
    this.#inside += bytes;
    return true;
  }

  async enter(bytes: number): Promise<void> {
    if (this.tryEnter(bytes)) return;
    await new Promise<void>((resolve) => void this.#waiting.push({ bytes, go: resolve }));
  }

  leave(bytes: number): void {
    this.#inside -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#inside += next.bytes;
      next.go();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#inside === 0 || this.#inside + bytes <= this.#max;
  }
}
