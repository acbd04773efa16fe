/** Rules of alerts, the passes of a scheduler over them, and receivers of what they send. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Database from 'libsql';
import pg from 'pg';
import pino from 'pino';
import { deliverAlerts } from '../../src/alerts/deliver.ts';
import { type EvaluateParts, evaluateAlerts } from '../../src/alerts/evaluate.ts';
import { sender, type SendParts } from '../../src/alerts/send/send.ts';
import { systemClock } from '../../src/base/clock.ts';
import { makeId } from '../../src/base/id.ts';
import type { AlertSpec } from '../../src/client/alerts-client.ts';
import { checkAlert } from '../../src/client/declared-alert.ts';
import type { AlertFiring } from '../../src/model/alerts/alert.ts';
import type { AlertRule } from '../../src/model/alerts/rule.ts';
import type { Store } from '../../src/store/store.ts';
import { ownerNamed } from '../contract/store/rows.ts';

/** Makes a database of PostgreSQL as good as new for tests of alerts. */
export const emptyAlerts = `truncate alert_rules, alerts, alert_causes, alert_firings, alert_deliveries, alert_attempts, alert_receivers, alert_silences, error_marks,
    runs, transitions, task_runs, workers;
  delete from end_places where reader = 'alerts'`;

/** What one scheduler needs over a store. */
export function alertParts(store: Store, changes: Partial<EvaluateParts> = {}): EvaluateParts {
  return {
    services: { store, log: pino({ level: 'silent' }), makeId },
    percentiles: new Map(),
    lookedHere: new Map(),
    leaseMs: 15_000,
    diskSpace: async () => null,
    lookEveryMs: 0,
    ...changes,
  };
}

/** Puts a rule as a client does. */
export async function putRule(store: Store, name: string, spec: AlertSpec): Promise<AlertRule> {
  const now = await store.alerts.watch.now();
  const known = await store.alerts.rules.get(name);
  return await store.alerts.rules.put({
    ...{ name, description: spec.description ?? null, rule: checkAlert(name, spec), origin: 'hand', declaredIn: null, pausedAt: null },
    ...{ createdAt: known?.createdAt ?? now, updatedAt: now },
  });
}

/** Passes until nothing is left to be found; gives the firings. */
export async function evaluateAll(parts: EvaluateParts): Promise<readonly AlertFiring[]> {
  const firings: AlertFiring[] = [];
  for (let again = true; again; ) {
    const pass = await evaluateAlerts(parts);
    firings.push(...pass.firings);
    again = pass.again;
  }
  return firings;
}

/** One pass over the outbox. */
export async function deliverOnce(store: Store, changes: Partial<SendParts> = {}, leaseMs = 15_000): Promise<boolean> {
  const send = sender({
    ...{
      clock: systemClock,
      secret: async (name) => `secret of ${name}`,
      allowedHosts: ['127.0.0.1'],
      publicUrl: null,
      smtpUrl: null,
      from: null,
    },
    reactions: { run: async () => 'run-1', cancel: async () => undefined, pause: async () => undefined },
    ...changes,
  });
  const services = { store, log: pino({ level: 'silent' }), random: () => 0.5, owner: ownerNamed(makeId()) };
  return await deliverAlerts({ services, send, leaseMs, turnMs: 60_000 }, new AbortController().signal);
}

export interface Taken {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON. */
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any -- what comes is what the test looks at
}

export interface Receiver {
  readonly url: string;
  readonly taken: Taken[];
  /** What it answers from now on. */
  answer: number;
  /** Where it redirects to. */
  location: string | null;
  close(): Promise<void>;
}

/** Makes all that waits in an outbox older: so much time goes by for whoever sends it. */
export async function passTime(url: string, ms: number): Promise<void> {
  await beside(url, `update alert_receivers set next_at = next_at - ${ms}, lease_until = lease_until - ${ms}`);
  await beside(url, `update alert_deliveries set created_at = created_at - ${ms} where state = 'pending'`);
}

/** How many rows a table has. */
export async function rowsIn(url: string, table: string): Promise<number> {
  const [row] = await beside(url, `select count(*) as rows from ${table}`);
  return Number(row?.['rows']);
}

/** Asks the database beside the store. */
async function beside(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  if (url.startsWith('sqlite:')) {
    const database = new Database(url.slice('sqlite:'.length), { timeout: 30_000 });
    try {
      const statement = database.prepare(sql);
      return (sql.startsWith('select') ? statement.all() : (statement.run(), [])) as readonly Record<string, unknown>[];
    } finally {
      database.close();
    }
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A server of HTTP on this computer that keeps what is posted, also what it refuses. @param port default: a free one */
export async function openReceiver(port = 0): Promise<Receiver> {
  const taken: Taken[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => void (body += text));
    request.on('end', () => {
      taken.push({ id: String(request.headers['webhook-id'] ?? ''), headers: request.headers, body, json: JSON.parse(body || 'null') });
      if (receiver.location !== null) response.setHeader('location', receiver.location);
      response.statusCode = receiver.answer;
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    taken,
    answer: 200,
    location: null,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
