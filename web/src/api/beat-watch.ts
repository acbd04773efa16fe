/**
 * Notices that a stream has fallen silent: a connection whose other end is gone (a laptop that slept, a router that forgot it) stays open for
 * many minutes as far as the browser can tell.
 */

/** Beats that may fail to come, and what a slow network may add, ms. */
const missedBeats = 2;
const slackMs = 5_000;
/** How long a stream may take until its first sign of life, ms. */
const openMs = 30_000;
/** The same for the first that is opened after one was lost: it may have been sent where the lost one went. Each further one has twice as long. */
const againMs = 5_000;

export class BeatWatch {
  readonly #onSilent: (lastHeardAt: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beatMs: number | null = null;
  #lastHeardAt = 0;

  /** @param onSilent is called once, with when something was heard last, epoch ms; then the watch is over until it begins again. */
  constructor(onSilent: (lastHeardAt: number) => void) {
    this.#onSilent = onSilent;
  }

  /** From now on a first sign of life is waited for: less long at the first of the `failures` in a row, so that it is soon there again. */
  begin(failures = 0): void {
    this.#beatMs = null;
    this.#lastHeardAt = Date.now();
    this.#wait(failures === 0 ? openMs : Math.min(openMs, againMs * 2 ** (failures - 1)));
  }

  /** Something came. `data` of `hello` and `beat` says how often a sign of life comes; a server that does not say so is trusted. */
  hear(data?: unknown): void {
    const beatMs = (data as { readonly beatMs?: unknown } | null | undefined)?.beatMs;
    if (typeof beatMs === 'number' && beatMs > 0) this.#beatMs = beatMs;
    this.#lastHeardAt = Date.now();
    if (this.#beatMs === null) this.stop();
    else this.#wait(missedBeats * this.#beatMs + slackMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onSilent(this.#lastHeardAt), ms);
  }
}
