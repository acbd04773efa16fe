/**
 * Detects that a stream has fallen silent: to the browser, a connection whose other end is gone (a laptop that slept, a router that dropped
 * it) seems open for many minutes.
 */

/** Beats that may be missed, and the tolerance for a slow network, ms. */
const missedBeats = 2;
const slackMs = 5_000;
/** Longest wait for a stream's first sign of life, ms. */
const openMs = 30_000;
/** The same for the first one opened after a loss, which may use the same dead route. Doubled for each further one. */
const againMs = 5_000;

export class BeatWatch {
  readonly #onSilent: (lastHeardAt: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beatMs: number | null = null;
  #lastHeardAt = 0;

  /** @param onSilent is called once, with the time of the last sign of life, epoch ms; then the watch stops until it begins again. */
  constructor(onSilent: (lastHeardAt: number) => void) {
    this.#onSilent = onSilent;
  }

  /** Starts to wait for a first sign of life: shorter after the first of the `failures` in a row, to recover quickly. */
  begin(failures = 0): void {
    this.#beatMs = null;
    this.#lastHeardAt = Date.now();
    this.#wait(failures === 0 ? openMs : Math.min(openMs, againMs * 2 ** (failures - 1)));
  }

  /** Records a sign of life. `data` of `hello` and `beat` gives the interval; without it the server is trusted. */
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
