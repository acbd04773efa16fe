/** `batuta/process`: workers, schedulers, servers and all three together inside a program. */
export { deployment, type DeploymentOptions, type DeploymentSchedule } from '../define/deployment.ts';
export type { Authorize, Visitor } from '../server/authorize.ts';
export {
  fastifyPlugin,
  type FastifyHost,
  type HostReply,
  type HostRequest,
  requestHandler,
  type RequestHandler,
} from './request-handler.ts';
export type { RunningProcess, StopOptions } from './running.ts';
export { serve, type ServeOptions } from './serve.ts';
export type { FlowsOption, ProcessOptions } from './settings.ts';
export { startScheduler } from './start-scheduler.ts';
export { type RunningServer, type ServerInProgramOptions, type SiteOptions, startServer } from './start-server.ts';
export { startWorker, type WorkerInProgramOptions } from './start-worker.ts';
