/** Performs a delivery: sends it to people or programs, or reacts in the fleet. */
import { signStandard } from '../../secrets/webhook-signature.ts';
import type { Clock } from '../../base/clock.ts';
import { isBatutaError } from '../../base/errors.ts';
import type { PendingDelivery } from '../../model/alerts/alert.ts';
import { NotSent, type SendDelivery } from '../deliver.ts';
import { type MailSettings, sendMail } from './mail.ts';
import type { Resolve } from './open-address.ts';
import { postJson } from './post.ts';
import { slackBody } from './slack.ts';

/** Actions of alerts on the fleet. Each may be called twice for the same. */
export interface Reactions {
  /** Runs a deployment, once per key. Returns the id of the run. @throws BatutaError DEPLOYMENT_NOT_FOUND, PARAMS_INVALID, … */
  run(deployment: string, params: Readonly<Record<string, unknown>>, key: string): Promise<string>;
  /** @throws BatutaError RUN_NOT_FOUND, RUN_STATE_REFUSED */
  cancel(runId: string, message: string): Promise<void>;
  /** @throws BatutaError DEPLOYMENT_NOT_FOUND */
  pause(deployment: string): Promise<void>;
}

export interface SendParts extends MailSettings {
  readonly clock: Clock;
  /** The value of a secret. @throws BatutaError SECRET_… */
  readonly secret: (name: string) => Promise<string>;
  readonly reactions: Reactions;
  /** Private hosts that may be contacted. */
  readonly allowedHosts: readonly string[];
  /** URL of the dashboard for people; null: messages have no link. */
  readonly publicUrl: string | null;
  readonly resolve?: Resolve;
}

/** Codes of permanent errors. */
const lasting = /^(DEPLOYMENT_|RUN_|PARAMS_|FLOW_|OPTION_|NAME_)/;

export function sender(parts: SendParts): SendDelivery {
  return async (delivery, signal) => {
    try {
      return await perform(parts, delivery, signal);
    } catch (error) {
      if (isBatutaError(error) && lasting.test(error.code)) throw new NotSent(error.message);
      throw error;
    }
  };
}

async function perform(parts: SendParts, delivery: PendingDelivery, signal: AbortSignal): Promise<string> {
  const { action, message, id } = delivery;
  const { alertId, run, deployment } = message.data;
  const link = parts.publicUrl === null || alertId === null ? null : `${parts.publicUrl.replace(/\/$/, '')}/alerts?alert=${alertId}`;
  const shared = { signal, allowed: parts.allowedHosts, resolve: parts.resolve };
  switch (action.kind) {
    case 'webhook': {
      // JSON parsers of other languages refuse lone surrogates, which users' text may contain.
      const body = JSON.stringify({ ...message, data: { ...message.data, url: link } }, (_key, value: unknown) =>
        typeof value === 'string' ? value.toWellFormed() : value,
      );
      const headers = await webhookHeaders(parts, action.secret, body, id);
      return await postJson(action.url, { ...shared, headers, body });
    }
    case 'slack':
      return await postJson(await parts.secret(action.secret), { ...shared, headers: {}, body: JSON.stringify(slackBody(message, link)) });
    case 'email':
      return await sendMail(delivery, action.to, parts, link, signal);
    case 'run':
      return `run ${await parts.reactions.run(action.deployment, action.params, `alert:${id}`)}`;
    case 'cancel':
      if (run === null) throw new NotSent('The alert is about no run.');
      return await cancel(parts, run.id, `Cancelled by alert ${message.data.rule}: ${message.data.summary}`);
    case 'pause':
      if (deployment === null) throw new NotSent('The alert is about no deployment.');
      await parts.reactions.pause(deployment);
      return `deployment ${deployment} is paused`;
  }
}

/** Also succeeds if the run has already ended, by itself or by an attempt whose outcome was not recorded. */
async function cancel({ reactions }: SendParts, runId: string, message: string): Promise<string> {
  try {
    await reactions.cancel(runId, message);
    return `run ${runId} is being cancelled`;
  } catch (error) {
    if (isBatutaError(error, 'RUN_STATE_REFUSED')) return `run ${runId} has ended already`;
    throw error;
  }
}

/** Per Standard Webhooks: the id is the same for every attempt, the time is that of the attempt. */
async function webhookHeaders(
  { secret, clock }: SendParts,
  name: string | null,
  body: string,
  id: string,
): Promise<Readonly<Record<string, string>>> {
  const now = clock.now();
  if (name === null) return { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(now / 1_000)) };
  return signStandard(await secret(name), body, id, now);
}
