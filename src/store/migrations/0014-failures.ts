/** Runs that failed alike are counted without reading any other. */
import { failureKeyOf } from '../figures/alike.ts';
import type { Migration } from './migration.ts';

export const failures: Migration = {
  number: 14,
  name: 'failures',
  statements: () => [`create index runs_failure on runs (flow, ${failureKeyOf('error')}, ended_at) where error is not null`],
};
