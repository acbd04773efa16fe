/** `batuta/client`: everything that can be asked of Batuta from outside a flow. */
export type {
  Client,
  ClientEvent,
  EmbeddedClient,
  EmbeddedRunsClient,
  EnqueueOptions,
  FlowsClient,
  RunEventsOptions,
  RunHandle,
  RunInspection,
  RunOptions,
  RunsClient,
} from './client.ts';
export type { ArtifactContent, ArtifactsClient, FoundArtifact } from './artifacts-client.ts';
export { type ClientOptions, openClient } from './open-client.ts';
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
  TriggersView,
  UpcomingTick,
} from './deployments-client.ts';
export type { InboxClient, InboxEntry, InboxLinkOptions } from './inbox-client.ts';
export type { Webhook, WebhooksClient, WebhookSpec, WebhookTest } from './webhooks-client.ts';
export type { EmitOptions, EmitReport, EventEntry, EventsClient } from './events-client.ts';
export type { LimitHolder, LimitsClient, LimitView, WaitReason } from './fleet-client.ts';
