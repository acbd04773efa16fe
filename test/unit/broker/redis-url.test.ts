import { describe, expect, it } from 'vitest';
import { readRedisUrl } from '../../../src/broker/bullmq/redis-url.ts';

describe('a Redis URL', () => {
  it('names one server', () => {
    expect(readRedisUrl('redis://localhost')).toEqual({
      url: 'redis://localhost',
      form: 'single',
      nodes: [{ host: 'localhost', port: 6379 }],
      sentinelName: '',
      sentinelPassword: null,
      username: null,
      password: null,
      database: 0,
      tls: null,
      prefix: '{batuta}',
    });
  });

  it('carries user, password, TLS, database and prefix, and never shows the password', () => {
    const place = readRedisUrl('rediss://bob:p%40ss@[::1]:7000/3?prefix={team-a}&tlsName=redis.example');
    expect(place).toMatchObject({
      username: 'bob',
      password: 'p@ss',
      database: 3,
      prefix: '{team-a}',
      nodes: [{ host: '::1', port: 7000 }],
    });
    expect(place.tls).toEqual({ servername: 'redis.example' });
    expect(place.url).not.toContain('p%40ss');
  });

  it('names the nodes of a Cluster', () => {
    const place = readRedisUrl('redis://:x@a:7000?cluster=true&nodes=b:7001,c');
    expect(place).toMatchObject({
      form: 'cluster',
      password: 'x',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
        { host: 'c', port: 6379 },
      ],
    });
  });

  it('names Sentinels and the server they know', () => {
    const place = readRedisUrl('redis://a?sentinel=main&nodes=b:26380&sentinelPassword=s3cret');
    expect(place).toMatchObject({
      form: 'sentinel',
      sentinelName: 'main',
      nodes: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 26_380 },
      ],
    });
    expect(place.sentinelPassword).toBe('s3cret');
    expect(place.url).not.toContain('s3cret');
  });

  it.each([
    ['http://a', 'redis://'],
    ['redis://', 'redis://'],
    ['redis://a/x', 'number of a database'],
    ['redis://a?nodes=b', 'cluster=true or sentinel=NAME'],
    ['redis://a?clutser=true', 'clutser'],
    ['redis://a/1?cluster=true', 'Cluster has no databases'],
    ['redis://a?cluster=true&prefix=batuta', 'braces'],
    ['redis://a?prefix=a:b', 'prefix takes'],
    ['rediss://a?ca=/no/such/file', 'cannot be read'],
    ['redis://a?cluster=true&nodes=b:x', 'no host'],
  ])('%s is refused with the reason', (url, reason) => {
    expect(() => readRedisUrl(url)).toThrow(reason);
  });
});
