/**
 * The tests that `npm run mutate` holds against changed lines: those that run within one process and quickly, on SQLite. What needs servers or
 * processes of its own (PostgreSQL, Redis, chaos) would take minutes a mutant. `BATUTA_MUTATE_TESTS` names others, parted by blanks.
 */
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const { projects: _, ...shared } = base.test ?? {};
const usual = [
  'test/unit/model/{lease,overlap,retry,state,ticks}.test.ts',
  'test/unit/{engine,store}/**/*.test.ts',
  'test/contract/store/{claims,fleet,late-runs,overlap,recorder,run-limit*,spread,suspects,task-limits,task-slots}.test.ts',
  'test/integration/engine/{cancel,close,lost-owner,suspend,taken-over-graph}*.test.ts',
  'test/integration/fleet/{crashed-hooks,early-ticket,faulty-broker,spread,upkeep}.test.ts',
];

export default defineConfig({
  ...base,
  test: {
    ...shared,
    include: process.env['BATUTA_MUTATE_TESTS']?.split(' ') ?? usual,
    exclude: ['test/unit/engine/guarantees.test.ts'],
    testNamePattern: '^(?!.*\\b(postgres|redis)\\b)',
    testTimeout: 20_000,
    reporters: ['default'],
  },
});
