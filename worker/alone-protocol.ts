/** What a worker and the process in which it has something executed alone tell each other. */
import type { Config } from '../src/base/settings.ts';

/** What the process is given, once. */
export interface AloneOrder {
  readonly config: Config;
  readonly cwd: string;
  readonly kind: 'run' | 'task';
  readonly id: string;
}

/** `stop`: it hands back what has not ended after that time, and ends. */
export type AloneRequest = { readonly order: AloneOrder } | { readonly stopMs: number };

/** Who it is, before it claims anything; why it is about to end, where it can say so; that it is done, and whether there was anything to do. */
export type AloneNews = { readonly owner: string } | { readonly seen: string } | { readonly done: true; readonly isExecuted: boolean };
