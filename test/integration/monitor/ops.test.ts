/** That dashboards and alerts in `ops/` ask for what there is: every query names metrics, and labels of them, that a small fleet exposes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScheduler, startServer, startWorker } from 'batuta/process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { catalog, type MetricRow } from '../../../src/monitor/metrics/catalog.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { parseMetrics } from '../../support/metrics.ts';

interface Query {
  readonly place: string;
  readonly expr: string;
}

/** Labels that Prometheus sets itself. */
const scraped = ['job', 'instance', 'le'];
const ends = /_(bucket|sum|count)$/;

const queries: readonly Query[] = [...dashboardQueries(), ...alertQueries()];

function dashboardQueries(): Query[] {
  return readdirSync('ops/grafana').flatMap((file) => {
    const { title, panels } = JSON.parse(readFileSync(join('ops/grafana', file), 'utf8')) as {
      readonly title: string;
      readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
    };
    return panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ place: `${title}: ${panel.title}`, expr })));
  });
}

function alertQueries(): Query[] {
  const { groups } = parse(readFileSync('ops/prometheus/alerts.yml', 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  };
  return groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ place: alert, expr })));
}

/** Metrics that a query names, each with the labels it is filtered by. */
function namedIn(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/\b((?:batuta|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', filter = '']) => ({
    name,
    labels: [...filter.matchAll(/(\w+)\s*[=!]~?/g)].map(([, label = '']) => label),
  }));
}

describe('ops', () => {
  /** Names of what the fleet exposes, and labels of each. */
  const exposed = new Map<string, ReadonlySet<string>>();

  let folder: string;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-ops-'));
    const settings = { databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, results: join(folder, 'results'), logFormat: 'json' as const };
    let log = '';
    const options = { settings: { ...settings, metricsPort: 0 }, write: (line: string) => void (log += line) };
    const flow = makeFlow({ work: { cache: '1h' } }, { name: 'small' });
    const server = await startServer({ settings: { ...settings, port: 0 }, write: () => undefined });
    const scheduler = await startScheduler(options);
    const worker = await startWorker({ ...options, flows: [flow] });
    const client = await openLocalClient({ databaseUrl: settings.databaseUrl, results: settings.results });
    await (await client.enqueue(flow, {})).done();
    const urls = [server.url, ...[...log.matchAll(/Metrics at (\S+)\/metrics/g)].map(([, url = '']) => url)];
    for (const url of urls)
      for (const [name, { metrics }] of parseMetrics(await (await fetch(`${url}/metrics`)).text()))
        exposed.set(name, new Set([...(exposed.get(name) ?? []), ...metrics.flatMap(({ labels }) => Object.keys(labels ?? {}))]));
    await client.close();
    await worker.stop({ graceMs: 0 });
    await scheduler.stop();
    await server.stop();
    expect(urls).toHaveLength(3);
  });

  test('has queries of dashboards and alerts, which use every metric of the catalog except those of the build', () => {
    expect(queries.length).toBeGreaterThan(60);
    const asked = new Set(queries.flatMap(({ expr }) => namedIn(expr)).map(({ name }) => name.replace(ends, '')));
    const left = Object.keys(catalog).filter((name) => !asked.has(name));
    expect(left).toEqual(['batuta_build_info', 'batuta_queue_delayed', 'batuta_queue_running', 'batuta_limit_slots']);
  });

  test('every query names metrics that a small fleet exposes, and their labels', () => {
    const table: Readonly<Record<string, MetricRow>> = catalog;
    for (const { place, expr } of queries) {
      const named = namedIn(expr);
      expect(named.length + Number(expr.startsWith('up{')), place).toBeGreaterThan(0);
      for (const { name, labels } of named) {
        const base = exposed.has(name) || table[name] !== undefined ? name : name.replace(ends, '');
        const row = table[base];
        // A fleet on SQLite has no connections, and none without Redis a broker of its own.
        if (row?.from !== 'postgres' && !base.startsWith('batuta_broker_')) expect([...exposed.keys()], place).toContain(base);
        const known = [...(row?.labels ?? [...(exposed.get(base) ?? [])]), ...scraped];
        for (const label of labels) expect(known, `${place}: ${name}`).toContain(label);
        if (name !== base) expect(row?.type, `${place}: ${name}`).toBe('histogram');
      }
      const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()));
      const groupable = [...named.flatMap(({ name }) => table[name]?.labels ?? table[name.replace(ends, '')]?.labels ?? []), ...scraped];
      for (const label of grouped) expect(groupable, place).toContain(label);
    }
  });

  test('every alert has a test, a severity, and says what to do', () => {
    const tests = readFileSync('ops/prometheus/alerts.test.yml', 'utf8');
    const { groups } = parse(readFileSync('ops/prometheus/alerts.yml', 'utf8')) as {
      readonly groups: readonly {
        readonly rules: readonly { readonly alert: string; readonly labels: object; readonly annotations: object }[];
      }[];
    };
    for (const { alert, labels, annotations } of groups.flatMap(({ rules }) => rules)) {
      expect(tests, alert).toContain(alert);
      expect(labels, alert).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
      expect(annotations, alert).toEqual({ summary: expect.any(String), description: expect.stringMatching(/.{20}/) });
    }
  });
});
