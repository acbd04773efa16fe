import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, type OwnRedis, startRedis } from '../support/redis.ts';
import { makeCliProject } from './cli-project.ts';

interface Check {
  readonly name: string;
  readonly verdict: string;
  readonly found: string;
  readonly mend: string | null;
}

describe('batuta doctor with a Redis', () => {
  const project = makeCliProject();
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startRedis(['--requirepass', 'hunter2'], ':hunter2@');
  });
  afterAll(async () => {
    await redis.stop();
    project.remove();
  });

  async function redisCheck(url: string): Promise<{ status: number | null; check: Check | undefined; output: string }> {
    const { status, stdout, stderr } = await project.batutaWith({ BATUTA_REDIS_URL: url }, 'doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: Check[] };
    return { status, check: checks.find(({ name }) => name === 'redis'), output: stdout + stderr };
  }

  it('accepts one that keeps all keys, and shows version and policy', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    const { status, check, output } = await redisCheck(redis.url);
    expect([status, check?.verdict, check?.mend]).toEqual([0, 'good', null]);
    expect(check?.found).toMatch(/version \d+\.\d+.*maxmemory-policy noeviction/);
    expect(output).not.toContain('hunter2');
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('names the eviction policy %s and what to set instead, with status 1', async (policy) => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', policy);
    const { status, check } = await redisCheck(redis.url);
    expect([status, check?.verdict]).toEqual([1, 'bad']);
    expect(check?.found).toContain(policy);
    expect(check?.mend).toContain('CONFIG SET maxmemory-policy noeviction');
    const { stdout } = await project.batutaWith({ BATUTA_REDIS_URL: redis.url }, 'doctor');
    expect(stdout).toMatch(new RegExp(`^✕ redis .*${policy}`, 'm'));
  });

  it('reports one that is not there, a wrong password and an invalid URL, without showing the password', async () => {
    const port = await freePort();
    for (const [url, text] of [
      [`redis://:hunter2@127.0.0.1:${port}`, 'cannot be reached'],
      [redis.url.replace('hunter2', 'hunter3'), 'refuses the user or password'],
      [`${redis.url}?colour=red`, 'colour'],
    ] as const) {
      const { status, check, output } = await redisCheck(url);
      expect([status, check?.verdict]).toEqual([1, 'bad']);
      expect(check?.found).toContain(text);
      expect(output).not.toMatch(/hunter\d/);
    }
  });

  it('finds the one node of a Cluster that throws keys away', async () => {
    const nodes = await Promise.all([startRedis(clusterNode), startRedis(clusterNode)]);
    try {
      const [first, second] = nodes;
      await first.command('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
      await second.command('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
      await second.command('CLUSTER', 'MEET', '127.0.0.1', String(first.port));
      for (const node of nodes) while (!(await isWhole(node))) await new Promise((resolve) => setTimeout(resolve, 20));
      expect((await redisCheck(`${first.url}?cluster=true`)).check?.verdict).toBe('good');
      for (const node of nodes) {
        await node.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
        const { check } = await redisCheck(`${first.url}?cluster=true`);
        expect([check?.verdict, check?.found.includes('allkeys-lfu')]).toEqual(['bad', true]);
        await node.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      }
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  });
});

const clusterNode = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];

/** Whether a node of a Cluster knows both nodes and all slots. */
async function isWhole(node: OwnRedis): Promise<boolean> {
  const info = String(await node.command('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes('cluster_size:2');
}
