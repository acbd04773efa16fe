/**
 * Redis URLs: for one server, a Cluster, or servers watched by Sentinel.
 *
 * `redis[s]://[user:password@]host[:port][/database][?option=value…]`, with the options
 *
 * - `nodes=host:port,host:port` further Cluster nodes or Sentinels
 * - `cluster=true` the hosts are nodes of a Cluster (which has no databases)
 * - `sentinel=NAME` the hosts are Sentinels that know the server NAME; `sentinelPassword=…` is theirs
 * - `prefix={name}` prefix of all keys, default `{batuta}`; the braces keep them in one slot of a Cluster
 * - `ca=FILE` certificate authority of a `rediss:` server; `tlsName=HOST` the name in its certificate
 */
import { readFileSync } from 'node:fs';
import { BatutaError } from '../../base/errors.ts';
import { maskAddress } from '../../base/mask.ts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface RedisPlace {
  /** Without passwords. */
  readonly url: string;
  readonly form: 'single' | 'cluster' | 'sentinel';
  /** At least one: the server, nodes of the Cluster, or Sentinels. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** The server's name in Sentinel; empty otherwise. */
  readonly sentinelName: string;
  readonly sentinelPassword: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Null: not encrypted. */
  readonly tls: { readonly ca?: string; readonly servername?: string } | null;
  readonly prefix: string;
}

const defaultPort = 6379;
const defaultSentinelPort = 26_379;
const defaultPrefix = '{batuta}';
const options = ['nodes', 'cluster', 'sentinel', 'sentinelPassword', 'prefix', 'ca', 'tlsName'] as const;

/**
 * Reads a Redis URL.
 *
 * @throws BatutaError CONFIG_INVALID
 */
export function readRedisUrl(text: string): RedisPlace {
  const shown = maskAddress(text);
  if (!/^rediss?:\/\/./.test(text) || !URL.canParse(text)) refuse(shown, 'It must begin with redis:// or rediss:// and name a host.');
  const url = new URL(text);
  const given = url.searchParams;
  for (const name of given.keys()) {
    if (!options.some((option) => option === name)) refuse(shown, `It has the option "${name}"; known are ${options.join(', ')}.`);
  }
  const sentinelName = given.get('sentinel') ?? '';
  const form = sentinelName !== '' ? 'sentinel' : given.get('cluster') === 'true' ? 'cluster' : 'single';
  const port = form === 'sentinel' ? defaultSentinelPort : defaultPort;
  const others = (given.get('nodes') ?? '').split(',').filter((node) => node !== '');
  if (form === 'single' && others.length > 0) refuse(shown, 'Several nodes need cluster=true or sentinel=NAME.');
  const database = url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0;
  if (!Number.isInteger(database) || database < 0) refuse(shown, 'What follows the host must be the number of a database.');
  if (form === 'cluster' && database !== 0) refuse(shown, 'A Cluster has no databases other than 0.');
  const prefix = given.get('prefix') ?? defaultPrefix;
  if (!/^[A-Za-z0-9_.{}-]{1,100}$/.test(prefix)) refuse(shown, 'The prefix takes letters, digits, _, ., - and braces.');
  if (form === 'cluster' && !/\{[^}]+\}/.test(prefix))
    refuse(shown, 'In a Cluster the prefix needs braces, such as {batuta}, so that all keys are in one slot.');
  return {
    url: shown,
    form,
    nodes: [nodeOf(url.host, port, shown), ...others.map((node) => nodeOf(node, port, shown))],
    sentinelName,
    sentinelPassword: given.get('sentinelPassword'),
    username: url.username === '' ? null : decodeURIComponent(url.username),
    password: url.password === '' ? null : decodeURIComponent(url.password),
    database,
    tls: url.protocol === 'rediss:' ? readTls(given, shown) : null,
    prefix,
  };
}

function nodeOf(text: string, defaultNodePort: number, shown: string): RedisNode {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d+))?$/.exec(text.trim()) ?? [];
  if (host === undefined) refuse(shown, `"${text}" is no host with a port.`);
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultNodePort : Number(port) };
}

function readTls(given: URLSearchParams, shown: string): NonNullable<RedisPlace['tls']> {
  const file = given.get('ca');
  const servername = given.get('tlsName');
  try {
    return { ...(file === null ? {} : { ca: readFileSync(file, 'utf8') }), ...(servername === null ? {} : { servername }) };
  } catch (cause) {
    refuse(shown, `The certificate authority ${String(file)} cannot be read.`, cause);
  }
}

function refuse(shown: string, why: string, cause?: unknown): never {
  throw new BatutaError('CONFIG_INVALID', `The Redis URL "${shown}" is not understood. ${why}`, { details: { url: shown }, cause });
}
