/** Traces in a thread or process of a task: they are sent to the engine, or go where a provider of its own has them go. */
import { context } from '@opentelemetry/api';
import { environmentVariable } from '../base/config.ts';
import type { GuestMessage } from '../model/isolate-protocol.ts';
import { type RunScope, runScope } from '../model/run-context.ts';
import { attemptSpanIdOf, hasTracerProvider } from '../model/trace.ts';
import { takeNotes } from './active-span.ts';
import { contextOfScope } from './context-manager.ts';
import { foreignSampling } from './foreign-spans.ts';
import { readSampler } from './sampler.ts';
import { registerProvider } from './user-spans.ts';

type Send = (message: GuestMessage & { readonly kind: 'span' | 'notes' }) => void;

/** Sends for the task that is under way: one guest executes one at a time. */
let sending: Send | null = null;
let isOurs = false;

/** Does the work with the span of the task as the active one. @param send is given what its code traces */
export async function traced<T>(scope: RunScope, send: Send, work: () => Promise<T>): Promise<T> {
  if (!isOurs && !hasTracerProvider()) {
    // What is wrong with the variables the engine has said.
    registerProvider(
      readSampler(environmentVariable, () => undefined),
      (span) => sending?.({ kind: 'span', span }),
    );
    isOurs = true;
  }
  sending = send;
  if (!isOurs) return await runScope.run(scope, () => context.with(contextOfScope(scope, foreignSampling), work));
  try {
    return await runScope.run(scope, work);
  } finally {
    const notes = takeNotes(attemptSpanIdOf(scope.taskRunId ?? '', scope.attempt));
    if (notes !== null) send({ kind: 'notes', notes });
  }
}
