/** Contract of alerts and error groups. Times are UTC epoch ms. */
import type { ConfigAlert } from '../base/config-file.ts';
import type { Duration } from '../base/duration.ts';
import type { Alert, AlertFiring, AlertSilence, TriedDelivery } from '../model/alerts/alert.ts';
import type { AlertOrigin, AlertRule } from '../model/alerts/rule.ts';
import type { ErrorGroup, ErrorState } from '../model/error-group.ts';
import type { AlertFilter, ErrorFilter, Page } from '../store/store.ts';

export type { Alert, AlertFiring, AlertSilence, TriedDelivery } from '../model/alerts/alert.ts';
export type { AlertRule } from '../model/alerts/rule.ts';
export type { ErrorGroup } from '../model/error-group.ts';

/** A rule as a user writes it, without its name. */
export type AlertSpec = Omit<ConfigAlert, 'name'>;

/** A firing with its deliveries. */
export type SentFiring = AlertFiring & { readonly deliveries: readonly TriedDelivery[] };

/** An alert with its deliveries, newest first, at most 100. */
export interface AlertView extends Alert {
  readonly firings: readonly SentFiring[];
}

export interface SilenceSpec {
  /** Default all rules. */
  readonly rule?: string;
  /** Deployment, flow, queue or host. Default all. */
  readonly group?: string;
  /** How long from now; at most a year. */
  readonly for: Duration;
  readonly reason?: string;
}

/** Who sets a rule. */
export interface RuleSource {
  /** Default `hand`. */
  readonly origin?: AlertOrigin;
  /** Name of the configuration file, e.g. `batuta.config.ts`; only with the origin `config`. */
  readonly declaredIn?: string;
}

export interface AlertsClient {
  /** Last found first. @throws BatutaError FILTER_INVALID */
  list(filter?: AlertFilter): Promise<Page<Alert>>;
  /** @param id whole, or its last 8 characters or more if unique @throws BatutaError ALERT_NOT_FOUND */
  get(id: string): Promise<AlertView>;
  /** Ends it by hand; a condition that still holds stays quiet until it ends. @throws BatutaError ALERT_NOT_FOUND */
  resolve(id: string, who?: string): Promise<Alert>;
  /** By name. */
  rules(): Promise<readonly AlertRule[]>;
  /** @throws BatutaError ALERT_RULE_NOT_FOUND */
  rule(name: string): Promise<AlertRule>;
  /**
   * Creates or replaces a rule. A changed rule starts over, and its alerts end. A rule declared in a configuration file can only be changed
   * by a deploy, which passes the origin `config` and the name of the file.
   *
   * @throws BatutaError ALERT_DECLARED, ALERT_INVALID, NAME_INVALID, OPTION_UNKNOWN, DURATION_INVALID, SECRET_NOT_FOUND
   */
  setRule(name: string, spec: AlertSpec, options?: RuleSource): Promise<AlertRule>;
  /**
   * Its alerts stay, and end.
   *
   * @param options.origin `config` deletes a declared one as well @throws BatutaError ALERT_DECLARED, ALERT_RULE_NOT_FOUND
   */
  deleteRule(name: string, options?: Pick<RuleSource, 'origin'>): Promise<void>;
  /** A paused rule finds nothing, and its alerts end. @throws BatutaError ALERT_RULE_NOT_FOUND */
  pauseRule(name: string): Promise<AlertRule>;
  /** @throws BatutaError ALERT_RULE_NOT_FOUND */
  resumeRule(name: string): Promise<AlertRule>;
  /** Has a scheduler send a test to everyone the rule notifies; no other action runs. @throws BatutaError ALERT_RULE_NOT_FOUND */
  testRule(name: string): Promise<AlertFiring>;
  /** Newest first, 20 by default. @throws BatutaError ALERT_RULE_NOT_FOUND, FILTER_INVALID */
  firings(rule: string, options?: { readonly limit?: number }): Promise<readonly SentFiring[]>;
  /** Those that have not ended, soonest first. */
  silences(): Promise<readonly AlertSilence[]>;
  /** @throws BatutaError ALERT_RULE_NOT_FOUND, ALERT_INVALID, DURATION_INVALID */
  silence(spec: SilenceSpec, who?: string): Promise<AlertSilence>;
  /** @throws BatutaError SILENCE_NOT_FOUND */
  unsilence(id: string): Promise<void>;
}

export interface ErrorsClient {
  /** Last seen first; by default open ones. @throws BatutaError FILTER_INVALID */
  list(filter?: ErrorFilter): Promise<Page<ErrorGroup>>;
  /** @param flow needed if errors of several flows have that key @throws BatutaError ERROR_GROUP_NOT_FOUND */
  get(key: string, flow?: string): Promise<ErrorGroup>;
  /** `resolved`: opens again when it recurs · `ignored`: quiet for good · `open`. @throws BatutaError ERROR_GROUP_NOT_FOUND */
  mark(key: string, state: ErrorState, options?: { readonly flow?: string; readonly who?: string }): Promise<ErrorGroup>;
}
