/** `batuta/testing`: tools for users to test their flows. */
export type { Clock, Timer } from '../base/clock.ts';
export { FakeClock, fakeClock } from './fake-clock.ts';
export type { Overrides } from './override.ts';
export { override, type ResourceFake, type ResourceOverride, type ResourceOverrides } from './override-resources.ts';
export { type TestOptions, testFlow } from './test-flow.ts';
export { TestRun, type TestRunParts, type TestTask } from './test-run.ts';
export type { Emission } from '../model/emission.ts';
export type { TestConnection } from './test-values.ts';
export type { StageStats } from '../model/stage-stats.ts';
