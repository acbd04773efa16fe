/** Options of the client's calls. Unknown ones are refused: ignored, a run meant for tomorrow would begin now, or a dry run would delete. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { SubmittedOptions } from '../model/submitted.ts';
import type { RunOptions } from './client.ts';
import type { BulkWish } from './fleet-client.ts';
import type { EnqueueOptions } from './handle.ts';

/** Objects, so that the compiler misses none. */
const submitted: Record<keyof SubmittedOptions, true> = { traceparent: true, callerRunId: true, refreshCache: true, replayOf: true };
const enqueued: Record<keyof EnqueueOptions, true> = {
  ...submitted,
  name: true,
  tags: true,
  queue: true,
  priority: true,
  startAt: true,
  ttl: true,
  debounce: true,
  idempotencyKey: true,
};
const run: Record<keyof RunOptions, true> = { ...submitted, name: true, tags: true, signal: true, onEvent: true };
const bulk: Record<keyof BulkWish, true> = { ids: true, filter: true, dryRun: true };

/** By call. */
const calls = {
  enqueue: { what: 'A run for workers', known: [...Object.keys(enqueued), 'params'] },
  submit: { what: 'A run in this process', known: Object.keys(run) },
  requeue: { what: 'requeue', known: ['from'] },
  delete: { what: 'delete', known: ['force'] },
  bulk: { what: 'A change of many runs', known: [...Object.keys(bulk), 'message'] },
} as const satisfies Readonly<Record<string, { readonly what: string; readonly known: readonly string[] }>>;

/** @throws BatutaError OPTION_UNKNOWN for an option that the call does not have; one that is undefined counts as left out */
export function checkOptions(call: keyof typeof calls, options: object): void {
  const { what, known }: { readonly what: string; readonly known: readonly string[] } = calls[call];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new BatutaError('OPTION_UNKNOWN', `${what} has no option '${name}'.${hintFor(name, known, 'The options are')}`, {
      details: { option: name, known: [...known] },
    });
  }
}
