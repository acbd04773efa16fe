/** This process's listeners of each channel. */
import type { Unsubscribe } from './broker.ts';

export class Listeners {
  readonly #byChannel = new Map<string, Set<{ readonly call: (message: string) => void }>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get empty(): boolean {
    return this.#byChannel.size === 0;
  }

  /** The same function may be added several times and is called as often. `onLast` is called when the channel has no listener left. */
  add(channel: string, listener: (message: string) => void, onLast?: () => void): Unsubscribe {
    const entry = { call: listener };
    const entries = this.#byChannel.get(channel) ?? new Set();
    this.#byChannel.set(channel, entries.add(entry));
    return () => {
      if (!entries.delete(entry) || entries.size > 0 || this.#byChannel.get(channel) !== entries) return;
      this.#byChannel.delete(channel);
      onLast?.();
    };
  }

  /** Calls a channel's listeners, after the current code. */
  tell(channel: string, message: string): void {
    if (!this.#byChannel.has(channel)) return;
    queueMicrotask(() => {
      for (const { call } of [...(this.#byChannel.get(channel) ?? [])]) {
        try {
          call(message);
        } catch (error) {
          this.#onError(error);
        }
      }
    });
  }

  clear(): void {
    this.#byChannel.clear();
  }
}
