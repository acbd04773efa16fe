/** The alert rules a project declares in its configuration file, and putting them with a deploy. */
import type { LoadedConfig } from '../base/config.ts';
import { BatutaError } from '../base/errors.ts';
import type { AlertSpec } from '../client/alerts-client.ts';
import type { Client } from '../client/client.ts';
import { checkAlert } from '../client/declared-alert.ts';
import type { AlertRuleSpec } from '../model/alerts/rule.ts';
import { noteLocally } from './audit.ts';

export interface DeclaredAlert {
  readonly name: string;
  readonly spec: AlertSpec;
  readonly rule: AlertRuleSpec;
  /** Name of the declaring file. */
  readonly file: string;
}

export interface PutAlert {
  readonly name: string;
  readonly outcome: 'created' | 'changed' | 'unchanged' | 'deleted';
}

/** The file's declarations, checked. @throws BatutaError CONFIG_INVALID, ALERT_INVALID, NAME_INVALID, OPTION_UNKNOWN, DURATION_INVALID */
export function readDeclaredAlerts({ file }: LoadedConfig): readonly DeclaredAlert[] {
  const names = new Set<string>();
  return (file?.alerts ?? []).map((declared, at) => {
    if (typeof declared !== 'object' || declared === null || typeof declared.name !== 'string')
      throw new BatutaError('CONFIG_INVALID', `${file?.name ?? ''}: alerts[${at}] must be an object with a name.`);
    const { name, ...spec } = declared;
    if (names.has(name)) throw new BatutaError('CONFIG_INVALID', `${file?.name ?? ''}: two alerts have the name ${name}.`);
    names.add(name);
    return { name, spec, rule: checkAlert(name, spec), file: file?.name ?? '' };
  });
}

/**
 * Puts those that differ from the stored ones; with `prune` deletes those that are no longer declared. A rule that somebody
 * paused stays paused. With `dryRun` it only reports what would be done.
 */
export async function putDeclaredAlerts(
  client: Client,
  declared: readonly DeclaredAlert[],
  { prune = false, dryRun = false }: { readonly prune?: boolean; readonly dryRun?: boolean } = {},
): Promise<readonly PutAlert[]> {
  if (declared.length === 0 && !prune) return [];
  const standing = await client.alerts.rules();
  const done: PutAlert[] = [];
  for (const { name, spec, rule, file } of declared) {
    const known = standing.find((one) => one.name === name);
    const isSame =
      known?.origin === 'config' &&
      known.declaredIn === file &&
      known.description === (spec.description ?? null) &&
      JSON.stringify(known.rule) === JSON.stringify(rule);
    done.push({ name, outcome: known === undefined ? 'created' : isSame ? 'unchanged' : 'changed' });
    if (isSame || dryRun) continue;
    const { paused, ...rest } = spec;
    await client.alerts.setRule(name, known === undefined && paused !== undefined ? spec : rest, { origin: 'config', declaredIn: file });
    await noteLocally(client, 'alert-rules.set', name, { on: rule.condition.kind, actions: rule.actions.map(({ kind }) => kind) });
  }
  const gone = prune ? standing.filter(({ name, origin }) => origin === 'config' && !declared.some((one) => one.name === name)) : [];
  for (const { name } of gone) {
    done.push({ name, outcome: 'deleted' });
    if (dryRun) continue;
    await client.alerts.deleteRule(name, { origin: 'config' });
    await noteLocally(client, 'alert-rules.delete', name, null);
  }
  return done;
}
