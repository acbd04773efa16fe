/** Triggers of deployments, their waits and firings, for people and as JSON. */
import { durationWords } from '../../base/duration.ts';
import type { DeploymentView, TriggersView } from '../../client/deployments-client.ts';
import { toWire } from '../../client/wire.ts';
import { sourceText, type Trigger, type TriggerFiring, type TriggerWait } from '../../model/triggers/trigger.ts';
import { triggerText } from '../../model/triggers/words.ts';
import type { Paint } from './shapes.ts';
import { agoText } from './times.ts';
import { oneLine } from './width.ts';

/** One trigger. */
export function triggerJson({ id, slug, rule }: Trigger): object {
  return { id, slug, on: rule.sources.map(sourceText), words: triggerText(rule), rule };
}

/** Their waits and firings. */
export function triggersJson({ waits, firings }: TriggersView): object {
  return { waits: waits.map((one) => toWire(one)), firings: firings.map((one) => toWire(one)) };
}

/** One line per trigger. */
export function triggerLines({ triggers = [] }: Pick<DeploymentView, 'triggers'>, paint: Paint): string[] {
  return triggers.map(({ slug, rule }) => `${oneLine(triggerText(rule))}  ${paint.dim(slug)}`);
}

/** What an open window or debounce waits for, and until when. */
export function waitText({ group, count, seen, missing, dueAt, firstAt }: TriggerWait, now: number): string {
  const whose = group === '' ? '' : ` for ${oneLine(group)}`;
  const left = dueAt <= now ? 'now' : `in ${durationWords(Math.max(1_000, Math.ceil((dueAt - now) / 1_000) * 1_000))}`;
  if (missing.length === 0)
    return `${count} of ${seen.join(', ')}${whose} since ${agoText(firstAt, now)}: starts one run ${left} unless another comes`;
  return `has ${seen.join(' and ')}${whose} since ${agoText(firstAt, now)}, waits for ${missing.join(' and ')}, gives up ${left}`;
}

/** Their waits, then their newest firings. */
export function waitLines({ waits }: TriggersView, now: number, paint: Paint): string[] {
  return waits.map((wait) => `${paint.yellow('…')} ${waitText(wait, now)}  ${paint.dim(wait.slug)}`);
}

const hues = { started: 'green', refused: 'red', failed: 'red', expired: 'yellow' } as const;

/** One line per firing. */
export function firingLines(firings: readonly TriggerFiring[], now: number, paint: Paint): string[] {
  return firings.map(({ outcome, cause, count, at, runId, message, slug }) => {
    const many = count === 1 ? '' : ` (the last of ${count})`;
    const about = message === null ? '' : `  ${oneLine(message)}`;
    return `${paint[hues[outcome]](outcome)}  ${oneLine(cause)}${many}  ${agoText(at, now)}${runId === null ? '' : `  ${paint.dim(`run ${runId}`)}`}${about}  ${paint.dim(slug)}`;
  });
}
