/** Messages between a worker and the process that executes something alone for it. */
import type { Config } from '../src/base/settings.ts';

/** The process's order, sent once. */
export interface AloneOrder {
  readonly config: Config;
  readonly cwd: string;
  readonly kind: 'run' | 'task';
  readonly id: string;
}

/** `stopMs`: it hands back what has not ended after that time, and ends. */
export type AloneRequest = { readonly order: AloneOrder } | { readonly stopMs: number };

/**
 * Its identity, before it claims anything; why it is about to end, if it can tell; that it is done, and whether there was anything to do.
 */
export type AloneNews = { readonly owner: string } | { readonly seen: string } | { readonly done: true; readonly isExecuted: boolean };
