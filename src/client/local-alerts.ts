/** Alerts and errors over an open store. Messages are put into the outbox; a scheduler sends them. */
import { cutText, isLongerThan } from '../base/cut-text.ts';
import { type Duration, parseDuration } from '../base/duration.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { programName } from '../base/program-name.ts';
import type { EngineServices } from '../engine/services.ts';
import { checkFilter } from '../model/list-filters.ts';
import type { Alert, AlertFiring, AlertSilence } from '../model/alerts/alert.ts';
import type { AlertOrigin, AlertRule, AlertRuleSpec } from '../model/alerts/rule.ts';
import type { ErrorGroup, ErrorState } from '../model/error-group.ts';
import { checkDescription } from '../model/secret.ts';
import { missing } from '../secrets/read-values.ts';
import type { AlertFilter, ErrorFilter, Page } from '../store/store.ts';
import type { AlertsClient, AlertSpec, AlertView, ErrorsClient, RuleSource, SentFiring, SilenceSpec } from './alerts-client.ts';
import { checkAlert } from './declared-alert.ts';

const shownFirings = 100;
const maxSilenceMs = 366 * 86_400_000;
const maxReasonChars = 1_000;
const here = 'local';

type Services = Pick<EngineServices, 'store' | 'clock' | 'makeId'>;

export class LocalAlerts implements AlertsClient {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  async list(filter: AlertFilter = {}): Promise<Page<Alert>> {
    checkFilter('alerts', filter);
    return await this.#store.list(filter);
  }

  async get(id: string): Promise<AlertView> {
    const alert = await this.#store.get(id);
    if (alert === null) throw noAlert(id);
    return { ...alert, firings: await this.#store.firings({ alertId: alert.id }, shownFirings) };
  }

  async resolve(id: string, who = here): Promise<Alert> {
    return (await this.#store.resolve(id, who, this.#services.makeId)) ?? Promise.reject(noAlert(id));
  }

  rules(): Promise<readonly AlertRule[]> {
    return this.#store.rules.list();
  }

  async rule(name: string): Promise<AlertRule> {
    return (await this.#store.rules.get(name)) ?? Promise.reject(await this.#noRule(name));
  }

  async setRule(name: string, spec: AlertSpec, { origin = 'hand', declaredIn }: RuleSource = {}): Promise<AlertRule> {
    const rule = checkAlert(name, spec);
    const { description = null, paused } = spec;
    checkDescription(description);
    const known = await this.#store.rules.get(name);
    if (known !== null) refuseDeclared(known, origin);
    await this.#checkSecrets(rule);
    const now = await this.#store.watch.now();
    const stands = known?.pausedAt ?? null;
    const pausedAt = paused === undefined ? stands : paused ? (stands ?? now) : null;
    const source = { origin, declaredIn: origin === 'config' ? (declaredIn ?? null) : null };
    return await this.#store.rules.put({
      ...{ name, description, rule, ...source, pausedAt },
      ...{ createdAt: known?.createdAt ?? now, updatedAt: now },
    });
  }

  async deleteRule(name: string, { origin = 'hand' }: Pick<RuleSource, 'origin'> = {}): Promise<void> {
    refuseDeclared(await this.rule(name), origin);
    if (!(await this.#store.rules.delete(name, await this.#store.watch.now()))) throw await this.#noRule(name);
  }

  async pauseRule(name: string): Promise<AlertRule> {
    const { pausedAt } = await this.rule(name);
    return (await this.#store.rules.pause(name, pausedAt ?? (await this.#store.watch.now()))) ?? Promise.reject(await this.#noRule(name));
  }

  async resumeRule(name: string): Promise<AlertRule> {
    const rule = await this.rule(name);
    if (rule.pausedAt === null) return rule;
    return (await this.#store.rules.pause(name, null)) ?? Promise.reject(await this.#noRule(name));
  }

  async testRule(name: string): Promise<AlertFiring> {
    return await this.#store.test(await this.rule(name), this.#services.makeId);
  }

  async firings(rule: string, { limit = 20 }: { readonly limit?: number } = {}): Promise<readonly SentFiring[]> {
    checkFilter('firings', { limit });
    await this.rule(rule);
    return await this.#store.firings({ rule }, limit);
  }

  async silences(): Promise<readonly AlertSilence[]> {
    return await this.#store.silences.list(await this.#store.watch.now());
  }

  async silence({ rule, group, for: length, reason }: SilenceSpec, who = here): Promise<AlertSilence> {
    const ms = silenceMs(length);
    if (reason !== undefined && isLongerThan(reason, maxReasonChars))
      throw new BatutaError('ALERT_INVALID', `The reason of a silence has at most ${maxReasonChars} characters.`, {
        details: { field: 'reason' },
      });
    if (rule !== undefined) await this.rule(rule);
    const now = await this.#store.watch.now();
    const silence: AlertSilence = {
      ...{ id: this.#services.makeId(), rule: rule ?? null, group: group ?? null, untilAt: now + ms },
      ...{ reason: reason ?? null, who, createdAt: now },
    };
    await this.#store.silences.add(silence);
    return silence;
  }

  async unsilence(id: string): Promise<void> {
    if (await this.#store.silences.delete(id)) return;
    throw new BatutaError(
      'SILENCE_NOT_FOUND',
      `No silence has the id '${cutText(id, 60, '…')}'. List them: ${programName()} alerts silences`,
      {
        details: { id },
      },
    );
  }

  get #store(): Services['store']['alerts'] {
    return this.#services.store.alerts;
  }

  async #checkSecrets({ actions }: AlertRuleSpec): Promise<void> {
    const { secrets } = this.#services.store;
    for (const [at, action] of actions.entries()) {
      const secret = action.kind === 'slack' || action.kind === 'webhook' ? action.secret : null;
      if (secret === null || (await secrets.get(secret)) !== null) continue;
      const { code, message, details } = missing('SECRET_NOT_FOUND', 'secret', secret, await secrets.names());
      throw new BatutaError(code, message, {
        details: { ...details, field: `send.${at}.${action.kind === 'slack' ? 'slack' : 'secret'}` },
      });
    }
  }

  async #noRule(name: string): Promise<BatutaError> {
    const names = (await this.#store.rules.list()).map((rule) => rule.name);
    const hint = hintFor(name, names, 'There are') || ` Declare one under alerts in batuta.config.ts, or: ${programName()} alerts add NAME`;
    return new BatutaError('ALERT_RULE_NOT_FOUND', `There is no rule of alerts '${cutText(name, 60, '…')}'.${hint}`, { details: { name } });
  }
}

export class LocalErrors implements ErrorsClient {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  async list(filter: ErrorFilter = {}): Promise<Page<ErrorGroup>> {
    checkFilter('errors', filter);
    return await this.#services.store.errorGroups.list(filter);
  }

  async get(key: string, flow?: string): Promise<ErrorGroup> {
    const { errorGroups } = this.#services.store;
    const found = /^[0-9a-f]{16}$/.test(key) ? await errorGroups.find(key, flow) : [];
    const [group] = found;
    if (group === undefined)
      throw new BatutaError(
        'ERROR_GROUP_NOT_FOUND',
        `No run has ended with an error of the key '${cutText(key, 60, '…')}'. List them: ${programName()} errors ls --all`,
        {
          details: { key },
        },
      );
    if (found.length === 1) return group;
    const flows = found.map((one) => one.flow).join(', ');
    throw new BatutaError('ERROR_GROUP_NOT_FOUND', `Several flows have an error of the key ${key}: ${flows}. Name one of them.`, {
      details: { key },
    });
  }

  async mark(
    key: string,
    state: ErrorState,
    { flow, who = here }: { readonly flow?: string; readonly who?: string } = {},
  ): Promise<ErrorGroup> {
    const group = await this.get(key, flow);
    await this.#services.store.errorGroups.mark(group.flow, key, state, who);
    return await this.get(key, group.flow);
  }
}

/** Both over the same store. */
export function localAlerts(services: Services): readonly [LocalAlerts, LocalErrors] {
  return [new LocalAlerts(services), new LocalErrors(services)];
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
