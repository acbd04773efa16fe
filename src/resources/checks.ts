/** Which resources may be requested, and their names in messages. */
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import type { AnyResource, ResourceScopeName } from '../model/resource.ts';
import { identityOf } from '../model/values.ts';

/** A resource that is open or being opened, for one key. */
export interface Opening {
  readonly resource: AnyResource;
  /** `'warehouse'`, with its key if it has one. */
  readonly shown: string;
  /** What it waits for while it is being opened. */
  readonly waitsFor: Set<Opening>;
  isOpen: boolean;
}

/** Text that tells the keys of a resource apart; '' for none. @throws BatutaError OPTION_INVALID if a key is not a plain value */
export function keyOf(resource: AnyResource, key: unknown): string {
  if (key === undefined) return '';
  if (typeof key === 'string') return `"${key}`;
  const identity = identityOf(key);
  if (identity !== null) return identity.text;
  throw new BatutaError('OPTION_INVALID', `The key of the resource '${resource.name}' must be a plain value such as a text or a number.`, {
    details: { resource: resource.name },
  });
}

/** The name of a resource for messages, with its key if it has one. */
export function shownAs({ name }: AnyResource, key: unknown): string {
  return key === undefined ? `'${name}'` : `'${name}' (${shownKey(key)})`;
}

/** A key for people, cut short. */
export function shownKey(key: unknown): string {
  return cutText(typeof key === 'string' ? key : (JSON.stringify(key) ?? String(key)), 100, '…');
}

/** Why a resource of a shorter scope is unavailable. @param asker the resource that asks for it, null for the body of a flow */
export function beyondReach({ name, scope }: AnyResource, asker: AnyResource | null): BatutaError {
  const message =
    asker === null
      ? `The resource '${name}' has the scope 'task', and the body of a flow is not a task: use it in a task, or give it the scope 'run'.`
      : `The resource '${asker.name}' (scope '${asker.scope}') uses '${name}' (scope '${scope}'), which is closed before it. ` +
        `Give '${name}' the scope '${asker.scope}' or a longer one.`;
  return new BatutaError('RESOURCE_SCOPE', message, { details: { resource: name, scope, usedBy: asker?.name ?? null } });
}

/** The error of a circular wait, null if there is none. @param asker the opening about to wait for `wanted` */
export function circleFrom(wanted: Opening, asker: Opening): BatutaError | null {
  const path = pathBetween(wanted, asker, new Set());
  if (path === null) return null;
  const names = [asker, ...path].map(({ resource }) => resource.name);
  return new BatutaError('RESOURCE_CYCLE', `Resources use each other in a circle: ${names.join(' → ')}. Take one of these uses away.`, {
    details: { path: names },
  });
}

function pathBetween(from: Opening, to: Opening, seen: Set<Opening>): Opening[] | null {
  if (from === to) return [from];
  if (seen.has(from)) return null;
  seen.add(from);
  for (const next of from.waitsFor) {
    const rest = pathBetween(next, to, seen);
    if (rest !== null) return [from, ...rest];
  }
  return null;
}

/** Why a scope that has ended provides nothing. */
export function hasEnded(shown: string, scope: ResourceScopeName): BatutaError {
  const why = { worker: 'its process is shutting down', run: 'its run has ended', task: 'its task has ended' }[scope];
  return new BatutaError('RESOURCE_CLOSED', `The resource ${shown} cannot be used any more: ${why}.`, { details: { resource: shown } });
}
