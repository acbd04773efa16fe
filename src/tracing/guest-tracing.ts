/** Traces in a task's thread or process: they are sent to the engine, or go to its own provider. */
import { context } from '@opentelemetry/api';
import { environmentVariable } from '../base/config.ts';
import type { GuestMessage } from '../model/isolate-protocol.ts';
import { type RunScope, runScope } from '../model/run-context.ts';
import { attemptSpanIdOf, hasTracerProvider } from '../model/trace.ts';
import { takeNotes } from './active-span.ts';
import { contextOfScope } from './context-manager.ts';
import { openForeignSampling } from './foreign-spans.ts';
import type { Sampling } from './run-spans.ts';
import { readSampler } from './sampler.ts';
import { registerProvider } from './user-spans.ts';

type Send = (message: GuestMessage & { readonly kind: 'span' | 'notes' }) => void;

/** Sends for the running task: a guest executes one at a time. */
let sending: Send | null = null;
let isOurs = false;
let foreignSampling: Sampling | null = null;

/** Does the work with the span of the task as the active one. @param send receives what its code traces */
export async function traced<T>(scope: RunScope, send: Send, work: () => Promise<T>): Promise<T> {
  if (!isOurs && !hasTracerProvider()) {
    // The engine has already reported invalid variables.
    registerProvider(
      readSampler(environmentVariable, () => undefined),
      (span) => sending?.({ kind: 'span', span }),
    );
    isOurs = true;
  }
  sending = (message) => {
    try {
      send(message);
    } catch (err) {
      // Called in user code, which must not fail because of it.
      scope.logger().warn({ err }, 'What the task has traced could not be sent.');
    }
  };
  try {
    if (isOurs) return await runScope.run(scope, work);
    const around = contextOfScope(scope, (foreignSampling ??= openForeignSampling()));
    return await runScope.run(scope, () => context.with(around, work));
  } finally {
    // If the provider is the program's own, the engine has no use for them.
    const notes = takeNotes(attemptSpanIdOf(scope.taskRunId ?? '', scope.attempt));
    if (notes !== null && isOurs) sending({ kind: 'notes', notes });
  }
}
