/** `batuta/testing`: what users test their flows with. */
export { FakeClock, fakeClock } from './fake-clock.ts';
export type { Overrides } from './override.ts';
export { override, type ResourceFake, type ResourceOverride, type ResourceOverrides } from './override-resources.ts';
export { type TestOptions, testFlow } from './test-flow.ts';
export { TestRun, type TestTask } from './test-run.ts';
