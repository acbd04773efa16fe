/** Exports from the store and over HTTP, in every format, on both databases. */
import type { TaskContext } from 'batuta';
import { describe, expect, test } from 'vitest';
import { exportColumns } from '../../../src/client/export/exported-rows.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { useExports } from './export-place.ts';

describe.each(['sqlite', 'postgres'])('on %s', (on) => {
  const place = useExports(on);

  test('runs are newest first, each once, with what the API says of them', async () => {
    const rows = await place.rowsOf('runs');
    expect(rows.map(({ id }) => id)).toEqual(place.ended.map(({ id }) => id));
    const shown = (await place.api.get('/api/runs')).json.items as Record<string, unknown>[];
    for (const [at, row] of rows.entries()) {
      const run = shown[at] as Record<string, never>;
      for (const name of [
        'flow',
        'name',
        'attempt',
        'queue',
        'tags',
        'createdAt',
        'startedAt',
        'endedAt',
        'durationMs',
        'waitingMs',
        'wallMs',
      ])
        expect([name, row[name]]).toEqual([name, run[name]]);
      const { type, name, message } = run['state'] as unknown as Readonly<Record<string, unknown>>;
      expect([row['stateType'], row['stateName'], row['stateMessage']]).toEqual([type, name, message]);
    }
    expect(rows[2]).toMatchObject({ flow: 'bad', errorName: 'TypeError', errorMessage: 'it broke, "badly"' });
    expect(Object.keys(rows[0] ?? {})).toEqual(Object.keys(exportColumns.runs));
  });

  test('task runs, transitions and lines are those of the runs that fit, and all of them', async () => {
    const tasks = await place.rowsOf('task-runs', { flow: 'fine' });
    expect(tasks).toHaveLength(4 * 4);
    expect(tasks.slice(0, 4).map(({ runId, task, index }) => [runId, task, index])).toEqual([
      [place.ended[0]?.id, 'items', null],
      ...[0, 1, 2].map((index) => [place.ended[0]?.id, 'work', index]),
    ]);
    expect(tasks[1]).toMatchObject({ flow: 'fine', stateName: 'Completed', metrics: { n: 1 } });
    const moves = await place.rowsOf('transitions', { states: ['failed'] });
    const [failed] = place.ended.filter(({ flow }) => flow === 'bad');
    expect(moves.map(({ seq, runId, stateName }) => [seq, runId, stateName])).toEqual(
      (await place.api.client.runs.inspect(failed?.id ?? '')).transitions.map(({ name }, at) => [
        expect.any(Number),
        moves[at]?.['runId'],
        name,
      ]),
    );
    const lines = await place.rowsOf('logs', { flow: 'fine', minLevel: 40 });
    expect(lines).toHaveLength(4 * 3);
    expect(lines[0]).toMatchObject({ level: 40, flow: 'fine', fields: { n: expect.any(Number), at: { deep: true } } });
    expect(await place.rowsOf('logs', { flow: 'fine' })).toHaveLength(4 * 6);
    expect(await place.rowsOf('task-runs', { flow: 'nobody' })).toEqual([]);
  });

  test('a run with more task runs and lines than one read holds comes whole and in order', async () => {
    const many = makeFlow(
      {
        items: { does: () => Array.from({ length: 2_300 }, (_, n) => n) },
        work: { each: 'items', does: (n: number, ctx: TaskContext) => ctx.log.info(`${n} ${'x'.repeat(n % 100 === 0 ? 60_000 : 10)}`) },
      },
      { name: 'many' },
    );
    await (await place.api.client.submit(many)).result();
    const tasks = await place.rowsOf('task-runs', { flow: 'many' });
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(2_301);
    const lines = await place.rowsOf('logs', { flow: 'many' });
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map(({ seq }) => Number(seq)).toSorted((a, b) => a - b));
    expect(new Set(lines.map(({ message }) => String(message).split(' ')[0])).size).toBe(2_300);
  }, 60_000);

  test('statistics sum up to the runs, by flow', async () => {
    const rows = await place.rowsOf('statistics', { by: 'hour' });
    const sum = (flow: string, type: string): number =>
      rows
        .filter((row) => row['kind'] === 'flow' && row['name'] === flow && row['stateType'] === type)
        .reduce((all, { runs }) => all + Number(runs), 0);
    expect([sum('fine', 'COMPLETED'), sum('bad', 'FAILED'), sum('fine', 'FAILED')]).toEqual([4, 1, 0]);
    expect(await place.rowsOf('statistics', { flow: 'bad' })).toMatchObject([
      { kind: 'flow', name: 'bad', runs: 1, timed: 1, p50Ms: expect.any(Number) },
    ]);
  });

  test.each(['runs', 'task-runs', 'transitions', 'logs', 'statistics'] as const)(
    '%s say the same in every format, and over HTTP',
    async (kind) => {
      const filter = { flow: 'fine' };
      const rows = await place.rowsOf(kind, filter);
      expect(rows.length).toBeGreaterThan(0);
      for (const format of ['csv', 'json', 'ndjson', 'parquet'] as const) {
        const far = await place.bytesOf(kind, { format, filter }, place.http);
        expect([format, await place.readAs(format, far, kind)]).toEqual([
          format,
          await place.readAs(format, await place.bytesOf(kind, { format, filter }), kind),
        ]);
        expect([format, (await place.readAs(format, far, kind)).length]).toEqual([format, rows.length]);
      }
      const parsed = (await place.bytesOf(kind, { format: 'ndjson', filter }))
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect(parsed).toEqual(rows);
      const ofParquet = await place.readAs('parquet', await place.bytesOf(kind, { format: 'parquet', filter }), kind);
      expect(ofParquet.map((row) => JSON.parse(JSON.stringify(row, plain)))).toEqual(rows);
    },
  );

  test('texts that a spreadsheet would take for formulas are none in CSV', async () => {
    const text = (await place.bytesOf('logs', { format: 'csv', filter: { flow: 'fine', minLevel: 40 } })).toString();
    expect(text).toContain(`"'=cmd|'""calc"",`);
    expect(text).not.toMatch(/(^|,)"?=cmd/m);
  });

  test('nothing gives an empty file of each format, and a filter that is none is refused before anything is sent', async () => {
    const filter = { flow: 'nobody' };
    expect((await place.bytesOf('runs', { format: 'json', filter })).toString()).toBe('[]\n');
    expect((await place.bytesOf('runs', { format: 'ndjson', filter })).toString()).toBe('');
    expect((await place.bytesOf('runs', { format: 'csv', filter })).toString()).toBe(`${Object.keys(exportColumns.runs).join(',')}\n`);
    expect(await place.readAs('parquet', await place.bytesOf('runs', { format: 'parquet', filter }), 'none')).toEqual([]);
    for (const query of [
      'runs?format=xls',
      'runs?format=csv&level=30',
      'statistics?format=csv&tag=a',
      'secrets?format=csv',
      'logs?format=csv&by=day',
    ])
      expect([query, (await place.api.get(`/api/export/${query}`)).status]).toEqual([query, 400]);
    await expect(place.bytesOf('runs', { format: 'csv', filter: { flw: 'x' } as never })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(place.bytesOf('runs', { format: 'csv', filter: { flw: 'x' } as never }, place.http)).rejects.toMatchObject({
      code: 'FILTER_INVALID',
    });
  });
});

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
