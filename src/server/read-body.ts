/**
 * Reads JSON bodies so that no number of large ones exhausts memory or blocks everybody else.
 *
 * Incoming bytes are bounded over all requests. Text is scanned before it is parsed: a few bytes of text can become a hundred in memory.
 * Parsed large bodies are bounded as well; while it is too much, a request waits until an earlier answer has been sent.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BatutaError } from '../base/errors.ts';
import { isGone, onceGone } from './connections.ts';
import { type Measured, readJson } from './read-json.ts';
import type { App } from './parts.ts';

/** Smaller ones neither count nor wait, bytes. */
const smallBytes = 64 * 1024;
/** Text of large bodies being parsed and answered, bytes; a single one may be larger. */
const maxParsedBytes = 4 * 1024 * 1024;
/** Bodies of the largest size that may arrive at the same time. */
const largestTogether = 4;
/** Deepest nesting of a body; readers and writers of values recurse level by level. */
const maxDepth = 100;
/** Most objects and lists in a body. */
const maxContainers = 500_000;

/** Adds the reader for `application/json`. @param maxBytes of the largest body that any route takes */
export function readBodies(app: App, maxBytes: number): void {
  const parser = app.getDefaultJsonParser('error', 'error');
  const incoming = new Gate(largestTogether * maxBytes);
  const parsed = new Gate(maxParsedBytes);
  const permits = new WeakMap<FastifyRequest, Permits>();

  app.addHook('preParsing', async (request, reply, payload) => {
    const { 'content-length': announced, 'transfer-encoding': coding } = request.headers;
    if (announced === undefined && coding === undefined) return payload;
    const { bodyLimit } = request.routeOptions;
    const length = Math.min(Number(announced ?? bodyLimit), bodyLimit);
    if (length <= smallBytes) return payload;
    const own = new Permits(reply);
    permits.set(request, own);
    if (!incoming.tryEnter(length))
      throw new BatutaError('RATE_LIMITED', 'Too many large requests are being received; try again in a moment.');
    own.add(() => incoming.leave(length));
    return payload;
  });
  // The route is done with the body. Its answer may be queued behind others of its connection, and an event stream never ends.
  app.addHook('onSend', async (request, _reply, payload) => {
    const own = permits.get(request);
    if (own === undefined) return payload;
    request.body = undefined;
    own.giveBack();
    return payload;
  });

  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    const own = permits.get(request);
    if (bytes.length > smallBytes && own !== undefined) {
      await parsed.enter(bytes.length);
      own.add(() => parsed.leave(bytes.length));
    }
    const parse = (text: string): unknown => {
      let [thrown, made]: [Error | null, unknown] = [null, undefined];
      void parser(request, text, (error, body) => {
        [thrown, made] = [error, body];
      });
      if (thrown !== null) throw thrown as Error;
      return made;
    };
    return await readJson(bytes, { parse, maxDepth, maxContainers }, refuseTooMuch);
  });
}

/** @throws BatutaError REQUEST_INVALID */
function refuseTooMuch({ depth }: Measured): never {
  const what = depth > maxDepth ? `is nested deeper than ${maxDepth} levels` : `holds more than ${maxContainers} objects and lists`;
  throw new BatutaError('REQUEST_INVALID', `The body of the request ${what}.`);
}

/** What a request holds of the gates, until it releases it or its connection ends. */
class Permits {
  readonly #releases: (() => void)[] = [];
  readonly #stop: () => void;
  #isOver = false;

  constructor({ raw }: FastifyReply) {
    this.#stop = onceGone(raw, () => this.giveBack());
    if (isGone(raw)) this.giveBack();
  }

  add(release: () => void): void {
    if (this.#isOver) release();
    else this.#releases.push(release);
  }

  giveBack(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    for (const release of this.#releases.splice(0)) release();
  }
}

/** Room for this many bytes. Anything larger goes in alone. First come, first served. */
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
