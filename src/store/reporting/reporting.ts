/** What others report to this store. */
import type { Connection } from '../connection.ts';
import type { ReportStore } from './contract.ts';
import { applyBatch } from './incoming.ts';
import { listReporters, register } from './reporters.ts';

export function reportStore(connection: Connection): ReportStore {
  return {
    register: (card) => connection.transaction((db) => register(db, card)),
    apply: (batch) => applyBatch(connection, batch),
    list: () => listReporters(connection),
  };
}
