/** Rows of the table of backfills. */
import type { Backfill } from '../../model/deployment.ts';
import type { Value } from '../rows.ts';
import { readSchedule } from '../read-json.ts';
import { jsonText } from '../storable.ts';
import type { StoredBackfill } from './contract.ts';

/** A row as it is read. */
export interface BackfillRow {
  readonly id: string;
  readonly deployment: string;
  readonly schedule: string;
  readonly rule: string;
  readonly from_at: number;
  readonly until_at: number;
  readonly run_order: string;
  readonly max_parallel: number;
  readonly total: number;
  readonly made: number;
  readonly place: number;
  readonly created_at: number;
  readonly resumed_at: number | null;
  readonly cancel_requested_at: number | null;
  readonly ended_at: number | null;
}

/** In the order of `valuesOf`. */
export const columns = [
  'id',
  'deployment',
  'schedule',
  'rule',
  'from_at',
  'until_at',
  'run_order',
  'max_parallel',
  'total',
  'made',
  'place',
  'created_at',
  'resumed_at',
  'cancel_requested_at',
  'ended_at',
] as const satisfies readonly (keyof BackfillRow)[];

/** The values of a row. */
export function valuesOf(row: StoredBackfill): Value[] {
  return [
    row.id,
    row.deployment,
    row.schedule,
    jsonText(row.rule),
    row.fromAt,
    row.untilAt,
    row.order,
    row.maxParallel,
    row.total,
    row.made,
    row.place,
    row.createdAt,
    row.resumedAt,
    row.cancelRequestedAt,
    row.endedAt,
  ];
}

/** The backfill of a row. */
export function backfillOf(row: BackfillRow): StoredBackfill {
  return {
    id: row.id,
    deployment: row.deployment,
    schedule: row.schedule,
    rule: readSchedule(row.rule),
    fromAt: row.from_at,
    untilAt: row.until_at,
    order: row.run_order as Backfill['order'],
    maxParallel: row.max_parallel,
    total: row.total,
    made: row.made,
    place: row.place,
    createdAt: row.created_at,
    resumedAt: row.resumed_at,
    cancelRequestedAt: row.cancel_requested_at,
    endedAt: row.ended_at,
  };
}
