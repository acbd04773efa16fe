/** Reads server-sent events over a real connection. */
import { EventParser, type ServerEvent } from '../../src/client/http/event-stream.ts';

export interface OpenStream {
  readonly status: number;
  readonly events: readonly (ServerEvent & { readonly json: any })[]; // oxlint-disable-line typescript/no-explicit-any -- what comes is what the test looks at
  /** Where a reader that comes back goes on. */
  readonly lastId: string | null;
  readonly ended: boolean;
  /** Resolves once an event fits. */
  until(fits: (event: ServerEvent & { readonly json: any }) => boolean): Promise<void>; // oxlint-disable-line typescript/no-explicit-any -- as above
  close(): Promise<void>;
}

/** Opens a stream, as a browser does that was cut off after `lastId`. */
export async function openStream(
  url: string,
  options: {
    readonly lastId?: string;
    readonly headers?: Record<string, string>;
    /** Awaited after each piece that was read. */
    readonly pause?: () => Promise<unknown>;
  } = {},
): Promise<OpenStream> {
  const controller = new AbortController();
  const headers = {
    accept: 'text/event-stream',
    ...options.headers,
    ...(options.lastId === undefined ? {} : { 'last-event-id': options.lastId }),
  };
  const answer = await fetch(url, { headers, signal: controller.signal });
  const events: (ServerEvent & { json: unknown })[] = [];
  const waiting = new Set<() => void>();
  const place: { lastId: string | null } = { lastId: options.lastId ?? null };
  let ended = false;
  const parser = new EventParser((event) => {
    events.push({ ...event, json: JSON.parse(event.data) as unknown });
    for (const wake of [...waiting]) wake();
  }, place);
  const reading = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of answer.body ?? []) {
        parser.push(decoder.decode(chunk as Uint8Array, { stream: true }));
        await options.pause?.();
      }
    } catch {
      // It was closed, by us or by the server.
    }
    ended = true;
    for (const wake of [...waiting]) wake();
  })();
  return {
    status: answer.status,
    events,
    get lastId() {
      return place.lastId;
    },
    get ended() {
      return ended;
    },
    async until(fits) {
      while (!events.some(fits)) {
        if (ended) throw new Error(`The stream ended before that came: ${JSON.stringify(events.slice(-5))}`);
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    async close() {
      controller.abort();
      await reading;
    },
  };
}
