/** `batuta/client`: everything that can be asked of Batuta from outside a flow. */
export type {
  Client,
  ClientEvent,
  ClientOptions,
  EmbeddedClient,
  EmbeddedRunsClient,
  EnqueueOptions,
  FlowsClient,
  PinView,
  RunEventsOptions,
  RunHandle,
  RunInspection,
  RunOptions,
  RunsClient,
  StreamOptions,
} from './client.ts';
export type { ExportFilter, ExportFormat, ExportKind, ExportOptions, ExportsClient } from './export/export-client.ts';
export type { ArtifactContent, ArtifactsClient, FoundArtifact } from './artifacts-client.ts';
export { openClient } from './open-client.ts';
export { type HttpClientOptions, openHttpClient } from './http/open.ts';
export type {
  BackfillPreview,
  BackfillsClient,
  BackfillSpec,
  BackfillView,
  DeployChange,
  DeploymentsClient,
  DeploymentSpec,
  DeploymentView,
  DeployReport,
  GraphChange,
  ScheduleSpec,
  TriggerParts,
  TriggerSpec,
  TouchedRuns,
  TriggersView,
  UpcomingTick,
} from './deployments-client.ts';
export type { InboxClient, InboxEntry, InboxLinkOptions } from './inbox-client.ts';
export type { AlertsClient, AlertSpec, AlertView, ErrorsClient, RuleSource, SentFiring, SilenceSpec } from './alerts-client.ts';
export type { Webhook, WebhooksClient, WebhookSpec, WebhookTest } from './webhooks-client.ts';
export type { EmitOptions, EmitReport, EventEntry, EventsClient } from './events-client.ts';
export type {
  Attention,
  BulkReport,
  BulkWish,
  DayFigures,
  Figures,
  FiguresClient,
  FlowFigures,
  HistogramOptions,
  LimitHolder,
  LimitsClient,
  LimitView,
  Overview,
  QueueView,
  RunListItem,
  TaskFiguresView,
  TaskWorkerView,
  WaitReason,
  WorkerView,
} from './fleet-client.ts';
export type { AuditClient, KeysClient } from './access-client.ts';
export type { CacheClient, CacheEntryDetails, CacheList } from './cache-client.ts';
export type {
  ConnectionsClient,
  ConnectionWish,
  ListedConnection,
  ListedSecret,
  RotationReport,
  SecretsClient,
  SecretWish,
  VariablesClient,
} from './secrets-client.ts';
export type { WireValue } from './wire.ts';

// What a client's members take and return: recorded rows and facts, and filters of lists.
export type { ApiKey, AuditEntry, Role } from '../model/access.ts';
export type {
  Alert,
  AlertDelivery,
  AlertFiring,
  AlertFiringKind,
  AlertSilence,
  AlertState,
  DeliveryAttempt,
  DeliveryState,
  TriedDelivery,
} from '../model/alerts/alert.ts';
export type {
  AlertAction,
  AlertActionKind,
  AlertCondition,
  AlertGrouping,
  AlertKind,
  AlertOrigin,
  AlertRule,
  AlertRuleSpec,
} from '../model/alerts/rule.ts';
export type { ErrorGroup, ErrorState } from '../model/error-group.ts';
export type { ArtifactKind } from '../model/artifact.ts';
export type { CachedFrom, CachePolicy, CacheTtl } from '../model/cache.ts';
export type { ArtifactComparison, FactChange } from '../model/compare-artifacts.ts';
export type { CellChange, Row, RowChange, TableComparison } from '../model/compare-tables.ts';
export type { TextComparison, TextPart } from '../model/compare-texts.ts';
export type { Emission } from '../model/emission.ts';
export type { DeadLetter, RejectCounts, RejectFilter } from '../model/dead-letters.ts';
export type {
  Backfill,
  Catchup,
  Concurrency,
  Deployment,
  DeploymentOrigin,
  DeploymentSchedule as StoredSchedule,
  DeploymentVersion,
  OnConflict,
  Overlap,
} from '../model/deployment.ts';
export type { EngineEvent, EngineListener } from '../model/events.ts';
export type { Alike, FailedRun } from '../model/failure-sentence.ts';
export type {
  DeclaredConcurrency,
  FlowConcurrency,
  FlowDefinition,
  FlowSource,
  HookDefinition,
  HookEvent,
} from '../model/flow.ts';
export type { Edge, Graph } from '../model/graph.ts';
export type { DecidedVia, InboxItem, InboxStatus, ListedInboxItem } from '../model/inbox.ts';
export type { FlowFairness } from '../model/fairness.ts';
export type { FlowRate, Rate, TagRate } from '../model/rate.ts';
export type { Reporter, ReporterCard, ReporterNote, ReporterState } from '../model/report.ts';
export type { ResourceUse } from '../model/resource-use.ts';
export type { Injection } from '../model/resource.ts';
export type { RetryDelay, RetryPolicy } from '../model/retry.ts';
export type { IntendedEnd, NotUndone, Rollback, RollbackStage, RollbackSummary } from '../model/rollback.ts';
export type { Artifact, CallArg, ListedRun, LogLine, Owner, Run, TaskRun, Transition } from '../model/run.ts';
export type { Every } from '../model/schedule/interval.ts';
export type { Bounds, Schedule, ScheduleInput } from '../model/schedule/schedule.ts';
export type { ConnectionEntry, SecretEntry, Variable } from '../model/secret.ts';
export type { StreamPlan } from '../model/streams.ts';
export type { DebounceOptions, SubmittedOptions } from '../model/submitted.ts';
export type { RecordedUsage, UsageScope } from '../model/task-usage.ts';
export type { TaskDefinition, Trigger } from '../model/task.ts';
export type {
  EmittedEvent,
  EndWord,
  FilterValue,
  FiringOutcome,
  Trigger as DeploymentTrigger,
  TriggerFiring,
  TriggerRule,
  TriggerSource,
  TriggerWait,
} from '../model/triggers/trigger.ts';
export type { WebhookRule, WebhookStyle } from '../model/triggers/webhook.ts';
export type {
  AlertFilter,
  ErrorFilter,
  ArtifactFilter,
  ArtifactKey,
  ArtifactKeyFilter,
  CacheEntry,
  CacheFilter,
  CacheKey,
  CachePageFilter,
  CacheTotals,
  DeploymentFilter,
  EmissionStream,
  EventFilter,
  HistogramBucket,
  InboxFilter,
  InboxPageFilter,
  LastRun,
  ListedArtifact,
  LogFilter,
  Page,
  PruneReport,
  RunEvent,
  RunFilter,
  SchemaReport,
  StoredDeployment,
  StoredFlow,
  StoredLogLine,
  StoredWorker,
  TaskRunFilter,
  VersionPage,
  WorkerRow,
} from '../store/store.ts';
