import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import type { BatutaConfig } from '../../../src/base/config-file.ts';
import { defineConfig } from '../../../src/define/project-config.ts';
import { type ConfigInput, describeConfig, loadConfig } from '../../../src/base/config.ts';
import { isBatutaError } from '../../../src/base/errors.ts';

const load = (input: ConfigInput = {}) => loadConfig({ env: {}, isTty: false, ...input });
const file = (config: BatutaConfig) => async () => ({ name: 'batuta.config.ts', config });

async function refusal(input: ConfigInput): Promise<string> {
  const error: unknown = await load(input).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!isBatutaError(error, 'CONFIG_INVALID')) throw new Error(`not refused with CONFIG_INVALID but ${String(error)}`);
  return error.message;
}

test('without anything set, every value is the default of the design', async () => {
  const { config, sources, warnings } = await load();
  expect(config).toEqual({
    databaseUrl: 'sqlite:.batuta/batuta.db',
    databaseConnections: 13,
    brokerConnections: 8,
    redisUrl: null,
    brokerUrl: null,
    flows: ['flows'],
    host: '127.0.0.1',
    port: 4200,
    processes: availableParallelism(),
    publicUrl: null,
    apiUrl: null,
    basePath: '',
    adminKey: null,
    threads: availableParallelism(),
    trustProxy: false,
    apiKey: null,
    secretKey: null,
    secretKeyOld: null,
    payloadKey: null,
    payloadKeyOld: null,
    leaseMs: 15_000,
    heartbeatMs: 5_000,
    maxRecoveries: 3,
    concurrency: 16,
    logLevel: 'info',
    logFormat: 'json',
    captureConsole: true,
    formerResults: [],
    results: '.batuta/results',
    smtpUrl: null,
    smtpFrom: null,
    alertHosts: [],
    retentionMs: 30 * 86_400_000,
    reportUrl: null,
    reportKey: null,
    reportName: null,
    reportVersion: null,
    reportBufferBytes: 256 * 1024 * 1024,
    reportFlushMs: 5_000,
    healthFile: null,
    metricsPort: null,
    metricsHost: '127.0.0.1',
    metricsLabelValues: 200,
    metricsPushUrl: null,
    traceUrl: null,
    maxLogLineBytes: 64 * 1024,
    maxRunLogBytes: 256 * 1024 * 1024,
    maxArtifactBytes: 4 * 1024 * 1024,
    maxArtifactFileBytes: 2 * 1024 * 1024 * 1024,
    maxArtifactImageBytes: 20 * 1024 * 1024,
    maxChartPoints: 20_000,
    maxStreamValueBytes: 16 * 1024 * 1024,
    maxRunStreamsBytes: 256 * 1024 * 1024,
    maxBodyBytes: 1024 * 1024,
    maxBulkBodyBytes: 16 * 1024 * 1024,
    headersTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
  });
  expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
  expect(warnings).toEqual([]);
});

test('a flag wins over the environment, the environment over the file, the file over the default', async () => {
  const loadFile = file({ flows: 'from-file', defaults: { port: 1, concurrency: 2, host: 'file' } });
  const { config, sources } = await load({ loadFile, env: { BATUTA_PORT: '11', BATUTA_CONCURRENCY: '12' }, flags: { port: 111 } });
  expect(config).toMatchObject({ port: 111, concurrency: 12, host: 'file', flows: ['from-file'], leaseMs: 15_000 });
  expect(sources).toMatchObject({
    port: 'flag',
    concurrency: 'env BATUTA_CONCURRENCY',
    host: 'file batuta.config.ts',
    flows: 'file batuta.config.ts',
    leaseMs: 'default',
  });
});

test('a variable set to nothing and a flag that was not given count as not set', async () => {
  const { config } = await load({ env: { BATUTA_REDIS_URL: ' ' }, flags: { port: undefined } });
  expect(config).toMatchObject({ redisUrl: null, port: 4200 });
});

test('the whole configuration is frozen', async () => {
  const loaded = await load();
  expect([loaded, loaded.config, loaded.config.flows, loaded.sources, loaded.warnings].every((part) => Object.isFrozen(part))).toBe(true);
});

test('logs are pretty on a terminal and JSON elsewhere, unless said otherwise', async () => {
  expect((await load({ isTty: true })).config.logFormat).toBe('pretty');
  expect((await load({ isTty: true, env: { BATUTA_LOG_FORMAT: 'JSON' } })).config.logFormat).toBe('json');
});

test.each([
  ['sqlite:/var/lib/batuta/main.db', '/var/lib/batuta/results'],
  ['sqlite:///var/lib/main.db?mode=ro', '/var/lib/results'],
  ['sqlite:main.db', 'results'],
  ['sqlite::memory:', '.batuta/results'],
  ['postgres://user@host/db', 'store'],
])('large results of %s go to %s', async (url, results) => {
  expect((await load({ env: { BATUTA_DATABASE_URL: url } })).config.results).toBe(results);
});

test('durations are read in every form, bare digits as milliseconds', async () => {
  const { config } = await load({ env: { BATUTA_LEASE: '1m', BATUTA_HEARTBEAT: '2500', BATUTA_RETENTION: 'P7D' } });
  expect(config).toMatchObject({ leaseMs: 60_000, heartbeatMs: 2_500, retentionMs: 7 * 86_400_000 });
  expect((await load({ env: { BATUTA_RETENTION: 'forever' } })).config.retentionMs).toBeNull();
});

test.each([
  'tempo.example/{traceId}',
  'https://tempo.example/trace',
  'https://tempo.example/{id}',
  'https://tempo.example/{traceId}?q={x}',
  'javascript:{traceId}',
])('an address of traces that is %s is refused', async (given) => {
  await expect(load({ env: { BATUTA_TRACE_URL: given } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('with {traceId} in it'),
  });
});

test('flows may be several, in the environment separated by commas', async () => {
  expect((await load({ env: { BATUTA_FLOWS: 'flows, more/daily.ts' } })).config.flows).toEqual(['flows', 'more/daily.ts']);
  expect((await load({ loadFile: file({ flows: ['a', 'b'] }) })).config.flows).toEqual(['a', 'b']);
});

test.each([
  [{ env: { BATUTA_PORT: 'abc' } }, 'BATUTA_PORT is "abc" but must be a whole number from 0 to 65535.'],
  [{ env: { BATUTA_PORT: '65536' } }, 'BATUTA_PORT is "65536" but must be a whole number from 0 to 65535.'],
  [{ flags: { concurrency: '0' } }, 'The flag for concurrency is "0" but must be a whole number from 1 to 10000.'],
  [{ env: { BATUTA_LOG_LEVEL: 'loud' } }, 'BATUTA_LOG_LEVEL is "loud" but must be one of trace, debug, info, warn, error, fatal, silent.'],
  [{ env: { BATUTA_LEASE: 'soon' } }, 'BATUTA_LEASE is "soon" but must be a duration such as 15s, 5m or 2 days.'],
  [{ env: { BATUTA_LEASE: '1s' } }, 'BATUTA_LEASE is "1s" but must be at least 2s.'],
  [{ env: { BATUTA_CAPTURE_CONSOLE: 'perhaps' } }, 'BATUTA_CAPTURE_CONSOLE is "perhaps" but must be true or false.'],
  [{ env: { BATUTA_FLOWS: ',' } }, 'BATUTA_FLOWS is "," but must name at least one folder or file.'],
  [{ loadFile: file({ defaults: { port: -1 } }) }, 'port (file batuta.config.ts) is -1 but must be a whole number from 0 to 65535.'],
])('a value that is not allowed is refused in one sentence: %j', async (input, sentence) => {
  expect(await refusal(input)).toBe(sentence);
});

test.each(['mysql://user:hunter2@host/db', 'sqlite:', 'postgres://user:hunter2@ho st/db'])(
  'a database address that cannot work is refused without showing it: %s',
  async (url) => {
    const message = await refusal({ env: { BATUTA_DATABASE_URL: url } });
    expect(message).toMatch(/^BATUTA_DATABASE_URL must /);
    expect(message).not.toContain('hunter2');
  },
);

test('a heartbeat that is not shorter than the lease is refused, naming both and where they came from', async () => {
  const message = await refusal({ env: { BATUTA_LEASE: '5s' } });
  expect(message).toContain('The heartbeat (5s, default) must be shorter than the lease (5s, env BATUTA_LEASE)');
});

test('a name in the file that is no setting is refused with the nearest one', async () => {
  expect(await refusal({ loadFile: file({ defaults: { leese: '9s' } } as BatutaConfig) })).toContain(
    "'leese' is no setting. Did you mean 'lease'?",
  );
  expect(await refusal({ loadFile: file({ flow: 'x' } as BatutaConfig) })).toContain("Did you mean 'flows'?");
  expect(await refusal({ loadFile: file({ defaults: [] } as BatutaConfig) })).toContain('must export default an object');
});

test('an unknown BATUTA_ variable is a warning with the nearest one, not an error', async () => {
  const { warnings } = await load({ env: { BATUTA_LEESE: '9s', PATH: '/bin', BATUTA_QQ: '1' } });
  expect(warnings).toEqual([
    'The environment variable BATUTA_LEESE is no setting and is not used. Did you mean BATUTA_LEASE?',
    'The environment variable BATUTA_QQ is no setting and is not used.',
  ]);
});

test('the keys that secrets are encrypted with are settings, and no listing shows them', async () => {
  const loaded = await load({ env: { BATUTA_SECRET_KEY: 'hunter2hunter2hunter2', BATUTA_SECRET_KEY_OLD: 'hunter3hunter3hunter3' } });
  expect(loaded.config).toMatchObject({ secretKey: 'hunter2hunter2hunter2', secretKeyOld: 'hunter3hunter3hunter3' });
  expect(JSON.stringify(describeConfig(loaded))).not.toContain('hunter');
});

test('the description of a configuration shows each value with its source and no secret', async () => {
  const env = {
    BATUTA_DATABASE_URL: 'postgres://user:hunter2@db:5432/batuta?password=hunter2',
    BATUTA_REDIS_URL: 'rediss://:hunter2@redis:6379?sentinel=main&sentinelPassword=hunter2',
    BATUTA_API_KEY: 'hunter2',
  };
  const lines = describeConfig(await load({ env }));
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  expect(lines).toContainEqual({
    name: 'databaseUrl',
    env: 'BATUTA_DATABASE_URL',
    value: 'postgres://user:********@db:5432/batuta?password=********',
    source: 'env BATUTA_DATABASE_URL',
  });
  expect(lines).toContainEqual({ name: 'retention', env: 'BATUTA_RETENTION', value: '30d', source: 'default' });
  expect(lines).toContainEqual({ name: 'apiUrl', env: 'BATUTA_API_URL', value: '', source: 'default' });
});

test('every shown value is read back as the same value', async () => {
  const first = await load({ env: { BATUTA_LEASE: '90s', BATUTA_RETENTION: '36h', BATUTA_FLOWS: 'a,b' } });
  const env = Object.fromEntries(describeConfig(first).map((line) => [line.env, line.value]));
  expect((await load({ env })).config).toEqual(first.config);
});

test('defineConfig gives its argument back', () => {
  const config = { flows: 'flows' };
  expect(defineConfig(config)).toBe(config);
});

test.each([
  ['store', 'store'],
  ['s3://our-bucket/batuta/results/', 's3://our-bucket/batuta/results/'],
  ['/mnt/results', '/mnt/results'],
])('large results may be kept in %s', async (given, results) => {
  expect((await load({ env: { BATUTA_RESULTS: given } })).config.results).toBe(results);
});

test.each(['s3://', 's3://Bucket/x', 's3://ab', 's3://bucket/a b', 'gs://bucket/x', 'https://bucket/x'])(
  'large results in %s are refused, and it says what there is',
  async (given) => {
    await expect(load({ env: { BATUTA_RESULTS: given } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining("must be 'store', a folder, or s3://bucket/prefix"),
    });
    await expect(load({ env: { BATUTA_FORMER_RESULTS: `store,${given}` } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  },
);

test.each(['log', [1], [null], {}])('middleware of the file that is no list of functions is refused: %j', async (middleware) => {
  const loadFile = async () => ({ name: 'batuta.config.ts', config: { middleware } as never });
  await expect(load({ loadFile })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('middleware must be a list'),
  });
});
