/** Alerts and errors over an open store. Messages are put into the outbox; a scheduler sends them. */
import { cutText, isLongerThan } from '../base/cut-text.ts';
import { type Duration, parseDuration } from '../base/duration.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { programName } from '../base/program-name.ts';
import type { EngineServices } from '../engine/services.ts';
import { checkFilter } from '../model/list-filters.ts';
import type { AlertSilence } from '../model/alerts/alert.ts';
import type { AlertOrigin, AlertRule, AlertRuleSpec } from '../model/alerts/rule.ts';
import type { ErrorGroup } from '../model/error-group.ts';
import { checkDescription } from '../model/secret.ts';
import { missing } from '../secrets/read-values.ts';
import type { Store } from '../store/store.ts';
import type { AlertsClient, ErrorsClient } from './alerts-client.ts';
import { checkAlert } from './declared-alert.ts';

const shownFirings = 100;
const maxSilenceMs = 366 * 86_400_000;
const maxReasonChars = 1_000;
const here = 'local';

type Services = Pick<EngineServices, 'store' | 'makeId'>;

export function localAlerts({ store, makeId }: Services): AlertsClient {
  const { alerts, secrets } = store;
  const { rules, silences, watch } = alerts;
  const ruleOf = async (name: string): Promise<AlertRule> => (await rules.get(name)) ?? Promise.reject(await noRule(rules, name));
  return {
    async list(filter = {}) {
      checkFilter('alerts', filter);
      return await alerts.list(filter);
    },
    async get(id) {
      const alert = await alerts.get(id);
      if (alert === null) throw noAlert(id);
      return { ...alert, firings: await alerts.firings({ alertId: alert.id }, shownFirings) };
    },
    resolve: async (id, who = here) => (await alerts.resolve(id, who, makeId)) ?? Promise.reject(noAlert(id)),
    rules: () => rules.list(),
    rule: ruleOf,
    async setRule(name, spec, { origin = 'hand', declaredIn } = {}) {
      const rule = checkAlert(name, spec);
      const { description = null, paused } = spec;
      checkDescription(description);
      const known = await rules.get(name);
      if (known !== null) refuseDeclared(known, origin);
      await checkSecrets(secrets, rule);
      const now = await watch.now();
      const stands = known?.pausedAt ?? null;
      const pausedAt = paused === undefined ? stands : paused ? (stands ?? now) : null;
      const source = { origin, declaredIn: origin === 'config' ? (declaredIn ?? null) : null };
      return await rules.put({
        ...{ name, description, rule, ...source, pausedAt },
        ...{ createdAt: known?.createdAt ?? now, updatedAt: now },
      });
    },
    async deleteRule(name, { origin = 'hand' } = {}) {
      refuseDeclared(await ruleOf(name), origin);
      if (!(await rules.delete(name, await watch.now()))) throw await noRule(rules, name);
    },
    async pauseRule(name) {
      const { pausedAt } = await ruleOf(name);
      return (await rules.pause(name, pausedAt ?? (await watch.now()))) ?? Promise.reject(await noRule(rules, name));
    },
    async resumeRule(name) {
      const rule = await ruleOf(name);
      if (rule.pausedAt === null) return rule;
      return (await rules.pause(name, null)) ?? Promise.reject(await noRule(rules, name));
    },
    testRule: async (name) => await alerts.test(await ruleOf(name), makeId),
    async firings(rule, { limit = 20 } = {}) {
      checkFilter('firings', { limit });
      await ruleOf(rule);
      return await alerts.firings({ rule }, limit);
    },
    silences: async () => await silences.list(await watch.now()),
    async silence({ rule, group, for: length, reason }, who = here) {
      const ms = silenceMs(length);
      if (reason !== undefined && isLongerThan(reason, maxReasonChars))
        throw new BatutaError('ALERT_INVALID', `The reason of a silence has at most ${maxReasonChars} characters.`, {
          details: { field: 'reason' },
        });
      if (rule !== undefined) await ruleOf(rule);
      const now = await watch.now();
      const silence: AlertSilence = {
        ...{ id: makeId(), rule: rule ?? null, group: group ?? null, untilAt: now + ms },
        ...{ reason: reason ?? null, who, createdAt: now },
      };
      await silences.add(silence);
      return silence;
    },
    async unsilence(id) {
      if (await silences.delete(id)) return;
      throw new BatutaError(
        'SILENCE_NOT_FOUND',
        `No silence has the id '${cutText(id, 60, '…')}'. List them: ${programName()} alerts silences`,
        { details: { id } },
      );
    },
  };
}

export function localErrors({ store: { errorGroups } }: Services): ErrorsClient {
  const get = async (key: string, flow?: string): Promise<ErrorGroup> => {
    const found = /^[0-9a-f]{16}$/.test(key) ? await errorGroups.find(key, flow) : [];
    const [group] = found;
    if (group === undefined)
      throw new BatutaError(
        'ERROR_GROUP_NOT_FOUND',
        `No run has ended with an error of the key '${cutText(key, 60, '…')}'. List them: ${programName()} errors ls --all`,
        { details: { key } },
      );
    if (found.length === 1) return group;
    const flows = found.map((one) => one.flow).join(', ');
    throw new BatutaError('ERROR_GROUP_NOT_FOUND', `Several flows have an error of the key ${key}: ${flows}. Name one of them.`, {
      details: { key },
    });
  };
  return {
    async list(filter = {}) {
      checkFilter('errors', filter);
      return await errorGroups.list(filter);
    },
    get,
    async mark(key, state, { flow, who = here } = {}) {
      const group = await get(key, flow);
      await errorGroups.mark(group.flow, key, state, who);
      return await get(key, group.flow);
    },
  };
}

async function checkSecrets(secrets: Store['secrets'], { actions }: AlertRuleSpec): Promise<void> {
  for (const [at, action] of actions.entries()) {
    const secret = action.kind === 'slack' || action.kind === 'webhook' ? action.secret : null;
    if (secret === null || (await secrets.get(secret)) !== null) continue;
    const { code, message, details } = missing('SECRET_NOT_FOUND', 'secret', secret, await secrets.names());
    throw new BatutaError(code, message, {
      details: { ...details, field: `send.${at}.${action.kind === 'slack' ? 'slack' : 'secret'}` },
    });
  }
}

async function noRule(rules: Store['alerts']['rules'], name: string): Promise<BatutaError> {
  const names = (await rules.list()).map((rule) => rule.name);
  const hint = hintFor(name, names, 'There are') || ` Declare one under alerts in batuta.config.ts, or: ${programName()} alerts add NAME`;
  return new BatutaError('ALERT_RULE_NOT_FOUND', `There is no rule of alerts '${cutText(name, 60, '…')}'.${hint}`, { details: { name } });
}

/** The next deploy would undo a change to a rule declared in a file. @throws BatutaError ALERT_DECLARED */
function refuseDeclared({ name, origin, declaredIn }: AlertRule, by: AlertOrigin): void {
  if (origin !== 'config' || by === 'config') return;
  const file = declaredIn ?? 'the configuration file';
  throw new BatutaError(
    'ALERT_DECLARED',
    `The rule ${name} is declared in ${file}: change it there, then: ${programName()} deploy --all (with --prune, rules removed there are deleted). It can be paused here.`,
    { details: { name, declaredIn } },
  );
}

function silenceMs(length: Duration): number {
  const details = { field: 'for' };
  let ms: number;
  try {
    ms = parseDuration(length);
  } catch (cause) {
    throw isBatutaError(cause) ? new BatutaError(cause.code, cause.message, { details: { ...cause.details, ...details }, cause }) : cause;
  }
  if (ms >= 1_000 && ms <= maxSilenceMs) return ms;
  throw new BatutaError('ALERT_INVALID', 'A silence takes from 1 second to 366 days.', { details });
}

function noAlert(id: string): BatutaError {
  return new BatutaError('ALERT_NOT_FOUND', `No alert has the id '${cutText(id, 60, '…')}'. List them: ${programName()} alerts ls --all`, {
    details: { id },
  });
}
