/** A trigger in words: `event:order.created where payload.total = 5, after 30s of quiet`. Pure. */
import { durationWords } from '../../base/duration.ts';
import { sourceText, type TriggerRule } from './trigger.ts';

/** One line, for lists and for changes by a deploy. */
export function triggerText({ sources, where, tags, params, withinMs, debounce, by, backfills }: TriggerRule): string {
  const filters = Object.entries(where).map(([path, values]) => `${path} = ${values.map((value) => JSON.stringify(value)).join(' or ')}`);
  const mapped = Object.entries(params).map(([name, path]) => `${name} from ${path}`);
  return [
    withinMs === null ? sources.map(sourceText).join(', ') : `${sources.map(sourceText).join(' and ')} within ${durationWords(withinMs)}`,
    ...(filters.length === 0 ? [] : [`where ${filters.join(' and ')}`]),
    ...(tags.length === 0 ? [] : [`tagged ${tags.join(' and ')}`]),
    ...(debounce === null ? [] : [debounceText(debounce)]),
    ...(by === null ? [] : [`for each ${by}`]),
    ...(mapped.length === 0 ? [] : [`with ${mapped.join(', ')}`]),
    ...(backfills ? ['backfills too'] : []),
  ].join(', ');
}

function debounceText({ waitMs, maxWaitMs }: NonNullable<TriggerRule['debounce']>): string {
  const most = maxWaitMs === null ? '' : `, ${durationWords(maxWaitMs)} after the first at the latest`;
  return `after ${durationWords(waitMs)} of quiet${most}`;
}

/** `on event:order.created, completed:extract`: what starts a deployment with these triggers; null without any. */
export function startText(triggers: readonly { readonly rule: TriggerRule }[] = []): string | null {
  return triggers.length === 0 ? null : `on ${triggers.flatMap(({ rule }) => rule.sources.map(sourceText)).join(', ')}`;
}
