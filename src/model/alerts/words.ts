/** Conditions and actions of alerts in words. Pure. */
import { formatDuration } from '../../base/duration.ts';
import { type AlertAction, type AlertCondition, receiverOf } from './rule.ts';

/** What a rule looks for, as a few words: `a run takes longer than 10 min`. */
export function conditionText(condition: AlertCondition): string {
  switch (condition.kind) {
    case 'failed':
      return 'a run failed';
    case 'crashed':
      return 'a run crashed';
    case 'late':
      return 'a run is late';
    case 'missed':
      return 'a tick was missed';
    case 'longer':
      return condition.ms === null
        ? `a run takes longer than ${condition.p95 ?? 1} × its p95`
        : `a run takes longer than ${formatDuration(condition.ms)}`;
    case 'failure-rate':
      return `more than ${percent(condition.share)} of the runs within ${formatDuration(condition.withinMs)} failed, from ${condition.atLeast} runs on`;
    case 'nothing-completed':
      return `nothing completed for ${formatDuration(condition.ms)}`;
    case 'no-worker':
      return `runs wait for ${formatDuration(condition.ms)} in a queue without a worker`;
    case 'queue-older':
      return `a run waits in a queue for longer than ${formatDuration(condition.ms)}`;
    case 'disk':
      return condition.bytes === null
        ? `less than ${percent(condition.share ?? 0)} of the disk is free`
        : `less than ${(condition.bytes / 1024 ** 3).toFixed(1)} GiB are free`;
    case 'metric': {
      const { name, above, below } = condition;
      return `${name} is ${[above === null ? '' : `above ${above}`, below === null ? '' : `below ${below}`].filter(Boolean).join(' or ')}`;
    }
  }
}

/** What an action does, with its arguments: `run cleanup with {"rows":5}`. */
export function actionText(action: AlertAction): string {
  const receiver = receiverOf(action);
  if (action.kind === 'webhook') return `${receiver}, ${action.secret === null ? 'not signed' : `signed with ${action.secret}`}`;
  if (action.kind === 'run' && Object.keys(action.params).length > 0) return `${receiver} with ${JSON.stringify(action.params)}`;
  return receiver;
}

function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
