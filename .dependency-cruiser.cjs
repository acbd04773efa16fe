/**
 * The arrows between the rooms, as ARCHITECTURE.md draws them. Type imports count like any other.
 *
 * cli, server, worker, scheduler → client, upkeep → engine → store, broker (contracts) → model → base; define → model.
 */

/** A room may import itself, the rooms it names, and packages. */
const mayImport = {
  base: [],
  model: ['base'],
  resources: ['base', 'model'],
  effects: ['base', 'model'],
  kit: ['base', 'model', 'resources', 'effects', 'define'],
  tracing: ['base', 'model', 'observe'],
  define: ['base', 'model', 'resources', 'effects', 'tracing'],
  store: ['base', 'model'],
  broker: ['base', 'model'],
  observe: ['base', 'model'],
  secrets: ['base', 'model', 'store'],
  report: ['base', 'model', 'store'],
  monitor: ['base', 'model', 'store', 'broker', 'observe'],
  engine: ['base', 'model', 'resources', 'effects', 'store', 'broker', 'observe'],
  alerts: ['base', 'model', 'store', 'secrets', 'observe', 'resources', 'effects', 'broker', 'engine'],
  upkeep: ['base', 'model', 'resources', 'effects', 'store', 'broker', 'observe', 'engine'],
  client: [
    'base',
    'model',
    'resources',
    'effects',
    'kit',
    'store',
    'broker',
    'observe',
    'tracing',
    'monitor',
    'secrets',
    'report',
    'engine',
    'define',
  ],
  testing: ['base', 'model', 'resources', 'effects', 'store', 'broker', 'observe', 'secrets', 'engine', 'define', 'client'],
  server: [
    'base',
    'model',
    'resources',
    'effects',
    'store',
    'broker',
    'observe',
    'tracing',
    'monitor',
    'secrets',
    'engine',
    'define',
    'client',
  ],
  process: [
    'base',
    'model',
    'resources',
    'effects',
    'store',
    'broker',
    'observe',
    'monitor',
    'secrets',
    'engine',
    'define',
    'client',
    'server',
  ],
  cli: [
    'base',
    'model',
    'resources',
    'effects',
    'store',
    'broker',
    'observe',
    'monitor',
    'secrets',
    'engine',
    'define',
    'client',
    'server',
    'process',
  ],
};

const rooms = Object.entries(mayImport).map(([room, others]) => ({
  name: `room-${room}`,
  comment: `src/${room} imports ${others.length === 0 ? 'no other room' : `only ${others.join(', ')}`}.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^(src|worker|scheduler|flows|bench|test)/', pathNot: `^src/(${[room, ...others].join('|')})/` },
}));

/** A package that one place alone may name; everyone else goes through that place. */
const keepers = {
  libsql: '^src/(store|kit)/',
  pg: '^src/(store|broker|kit)/',
  croner: '^src/model/schedule/cron(-plain)?\\.ts$',
  cronstrue: '^src/model/schedule/cron-words\\.ts$',
  bullmq: '^src/broker/bullmq/(bullmq-broker|postgres-backend|ticket-worker)\\.ts$',
  ioredis: '^src/broker/',
  esbuild: '^src/(define|testing)/',
  nodemailer: '^src/alerts/send/mail\\.ts$',
  'ipaddr.js': '^src/alerts/send/open-address\\.ts$',
  'prom-client': '^src/monitor/metrics/',
  '@opentelemetry': '^src/tracing/',
  '@aws-sdk/client-s3': '^src/(engine/results/s3-place|kit/resources/objects/s3)\\.ts$',
  'pino-pretty': '^src/base/log\\.ts$',
  'reflect-metadata': '^src/define/',
  superjson: '^src/(base|model|engine|store|define)/',
};

const packages = Object.entries(keepers).map(([name, keeper]) => ({
  name: `package-${name}`,
  comment: `Only ${keeper} imports ${name}.`,
  severity: 'error',
  from: { path: '^(src|worker|scheduler)/', pathNot: keeper },
  to: { path: `(^|/)node_modules/(@types/)?${name}/` },
}));

module.exports = {
  forbidden: [
    ...rooms,
    ...packages,
    {
      name: 'processes-apart',
      comment: 'Worker and scheduler do not know each other; what both do is in src/upkeep.',
      severity: 'error',
      from: { path: '^(worker|scheduler)/' },
      to: { path: '^(worker|scheduler)/', pathNot: '^$1/' },
    },
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one file, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'store-by-contract',
      comment: 'Outside src/store, only its contract and the file that opens one are known.',
      severity: 'error',
      from: { path: '^(src|worker|scheduler)/', pathNot: '^src/store/' },
      to: { path: '^src/store/', pathNot: '^src/store/(store|open)\\.ts$' },
    },
    {
      name: 'broker-by-contract',
      comment: 'Outside src/broker, only its contract and the file that opens one are known.',
      severity: 'error',
      from: { path: '^(src|worker|scheduler)/', pathNot: '^src/broker/' },
      to: { path: '^src/broker/', pathNot: '^src/broker/(broker|open)\\.ts$' },
    },
    {
      name: 'engine-opens-nothing',
      comment: 'The engine is handed an open store and broker.',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: '^src/(store|broker)/open\\.ts$' },
    },
    {
      name: 'src-stands-alone',
      comment: 'The library knows nothing of what is built on it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(worker|scheduler|flows|bench|test|scripts|web)/' },
    },
    {
      name: 'web-by-the-wire',
      comment: 'The dashboard knows the contracts of what travels and the plain rules of states, and nothing else of the library.',
      severity: 'error',
      from: { path: '^web/' },
      to: {
        path: '^(src|worker|scheduler|flows|bench|test)/',
        pathNot:
          '^src/(model/|base/(cut-text|byte-size)\\.ts$|client/(wire|read-lines|client|fleet-client|deployments-client|access-client|secrets-client|inbox-client|artifacts-client|alerts-client)\\.ts$|store/store\\.ts$)',
      },
    },
    {
      name: 'web-types-only',
      comment:
        'Of the library the dashboard takes types; the code it shares is the table of states, what people see of ids, failures, sizes, figures, threads and processes, kinds of artifacts and how two of them differ, triggers and alerts in words, how text is cut, and the form in which data travels.',
      severity: 'error',
      from: { path: '^web/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(model/(state|ids|failure-sentence|run-times|task-usage|stage-stats|isolation-words|artifact|chart|compare-artifacts|triggers/words|alerts/(rule|words))|client/(wire|read-lines)|base/(cut-text|byte-size))\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'flows-like-a-user',
      comment: "Example flows import 'batuta' as a user would.",
      severity: 'error',
      from: { path: '^flows/' },
      to: { path: '^src/', pathNot: '^src/(index|client/index|testing/index|kit/(resources|steps|streams)/index)\\.ts$' },
    },
    {
      name: 'listed-packages',
      comment: 'What ships may only import what package.json lists; what is not under its dependencies is bundled in, save optional peers.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|out|coverage)/|\\.css$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
