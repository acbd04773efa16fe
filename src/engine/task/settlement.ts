/** What an attempt of a task run comes to. */
import type { BatutaError } from '../../base/errors.ts';

/** How an attempt ended. */
export type Settlement =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  /** The timeout passed first; the code may still be going. */
  | { readonly kind: 'timeout'; readonly error: BatutaError }
  /** The run was stopped and this was not waited for, or it ended because of the stop. */
  | { readonly kind: 'stopped'; readonly error: BatutaError };
