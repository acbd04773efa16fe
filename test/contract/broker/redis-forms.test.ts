/** Redis behind TLS, behind Sentinel, and as a Cluster. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { Broker, Ticket } from '../../../src/broker/broker.ts';
import { checkRedis } from '../../../src/broker/open.ts';
import { freePort, startRedis, startSentinel } from '../../support/redis.ts';
import { newTickets, place as placeOf, Seen } from './makers.ts';

const memory = 'sqlite::memory:';

/** Every way of using a broker over this URL. */
async function carries(url: string): Promise<void> {
  const place = placeOf(url, memory, async () => undefined);
  try {
    const broker = await place.open();
    const [seen, heard] = [new Seen<Ticket>(), new Seen<string>()];
    broker.consume(['a', 'b'], { concurrency: 2 }, async (ticket) => seen.add(ticket));
    await broker.subscribe('c', (message) => heard.add(message));
    await broker.put(newTickets(20), { queue: 'a' });
    await broker.put(newTickets(1), { queue: 'b' });
    await broker.notify('c', 'hello');
    await Promise.all([seen.count(21), heard.count(1)]);
  } finally {
    await place.remove();
  }
}

/** As the reconciler of a store does it: puts until the broker has it. */
async function putUntilTaken(broker: Broker, tickets: readonly Ticket[]): Promise<void> {
  for (;;) {
    try {
      return await broker.put(tickets, { queue: 'a' });
    } catch (error) {
      if (!isBatutaError(error, 'BROKER_UNAVAILABLE')) throw error;
      await sleep(20);
    }
  }
}

describe('a Cluster', () => {
  const node = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-node-timeout', '2000'];

  it('of three nodes carries tickets and messages, wherever the keys of a prefix live', async () => {
    const nodes = await Promise.all([startRedis(node), startRedis(node), startRedis(node)]);
    const [first] = nodes;
    try {
      const shares = [
        ['0', '5461'],
        ['5462', '10922'],
        ['10923', '16383'],
      ] as const;
      for (const [at, [from, to]] of shares.entries()) await nodes[at]?.command('CLUSTER', 'ADDSLOTSRANGE', from, to);
      for (const { port } of nodes.slice(1)) await first.command('CLUSTER', 'MEET', '127.0.0.1', String(port));
      for (const { command } of nodes) while (!isWhole(String(await command('CLUSTER', 'INFO')))) await sleep(20);
      const slots = await Promise.all(['{a}', '{b}', '{batuta-3}'].map((prefix) => first.command('CLUSTER', 'KEYSLOT', prefix)));
      const owners = slots.map((slot) => shares.findIndex(([, to]) => Number(slot) <= Number(to)));
      expect(new Set(owners).size).toBeGreaterThan(1);
      for (const prefix of ['{a}', '{b}', '{batuta-3}']) await carries(`${first.url}?cluster=true&prefix=${encodeURIComponent(prefix)}`);
    } finally {
      await Promise.all(nodes.map(({ stop }) => stop()));
    }
  });

  const isWhole = (info: string): boolean => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
});

describe('Sentinel', () => {
  it('leads to the server it watches', async () => {
    const redis = await startRedis();
    const sentinel = await startSentinel(redis);
    try {
      await carries(`${sentinel.url}?sentinel=main`);
    } finally {
      await sentinel.stop();
      await redis.stop();
    }
  });

  it('promotes a replica: consumers and producers move to it, and hear of new tickets and messages', async () => {
    const main = await startRedis();
    const replica = await startRedis(['--replicaof', '127.0.0.1', String(main.port)]);
    const sentinel = await startSentinel(main);
    const place = placeOf(`${sentinel.url}?sentinel=main`, memory, async () => undefined);
    try {
      await sentinel.command('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '300');
      await sentinel.command('SENTINEL', 'SET', 'main', 'failover-timeout', '3000');
      while (!String(await replica.command('INFO', 'replication')).includes('master_link_status:up')) await sleep(20);
      while (String(await sentinel.command('SENTINEL', 'REPLICAS', 'main')) === '') await sleep(20);
      const broker = await place.open({ onError: () => undefined });
      const [seen, heard] = [new Seen<Ticket>(), new Seen<string>()];
      broker.consume(['a'], { concurrency: 4 }, async (ticket) => seen.add(ticket));
      await broker.subscribe('c', (message) => heard.add(message));
      await broker.put(newTickets(5), { queue: 'a' });
      await seen.count(5);
      await main.kill();
      const later = newTickets(5);
      await putUntilTaken(broker, later);
      const telling = setInterval(() => void broker.notify('c', 'back').catch(() => undefined), 50);
      await heard.count(1);
      clearInterval(telling);
      await seen.until((all) => later.every(({ id }) => all.some((ticket) => ticket.id === id)));
      expect(String(await replica.command('INFO', 'replication'))).toContain('role:master');
    } finally {
      await place.remove();
      await sentinel.stop();
      await replica.stop();
      await main.stop();
    }
  });
});

describe('TLS', () => {
  it('with a password and an authority of its own carries tickets; another authority is refused in one sentence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'batuta-tls-'));
    const attributes = [{ name: 'commonName', value: 'redis.example' }];
    const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: 'redis.example' }] }];
    const own = await generate(attributes, { extensions, keySize: 2048 });
    const other = await generate(attributes, { keySize: 2048 });
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [certificate, key, stranger] = [file('own.crt', own.cert), file('own.key', own.private), file('other.crt', other.cert)];
    // The plain port stays open for the test itself.
    const tlsPort = await freePort();
    const redis = await startRedis(
      [
        ...['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key],
        ...['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no', '--requirepass', 'secret'],
      ],
      ':secret@',
    );
    const url = (ca: string): string => `rediss://:secret@127.0.0.1:${tlsPort}?ca=${encodeURIComponent(ca)}&tlsName=redis.example`;
    try {
      await carries(url(certificate));
      expect(await checkRedis(url(certificate))).toMatchObject({ evictionPolicy: 'noeviction' });
      const refused = await checkRedis(url(stranger)).catch((error: unknown) => error);
      expect(isBatutaError(refused, 'BROKER_UNAVAILABLE')).toBe(true);
      expect(String(refused)).not.toContain('secret');
    } finally {
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
