/** The settings that bound how much is taken: of log lines, artifacts, bodies and the time of requests. */
import type { Setting } from './setting.ts';
import { readBytes, readDuration, showBytes, showMs } from './setting-values.ts';

export interface BoundConfig {
  /** Longest message, and longest fields, of a log line of a run, bytes; the rest is cut. */
  readonly maxLogLineBytes: number;
  /** Log lines and artifacts that a process keeps of one run, bytes; the rest is left out. */
  readonly maxRunLogBytes: number;
  /** Largest artifact, bytes of its JSON; the rest is cut. */
  readonly maxArtifactBytes: number;
  /** Largest body of a request to the server, bytes. */
  readonly maxBodyBytes: number;
  /** Largest body of a request that submits many runs, bytes. */
  readonly maxBulkBodyBytes: number;
  /** How long the head of a request to the server may take to arrive. */
  readonly headersTimeoutMs: number;
  /** How long a request to the server may take to arrive, with its body. */
  readonly requestTimeoutMs: number;
}

const kib = 1024;
const mib = 1024 * kib;

export const boundSettings: { readonly [K in keyof BoundConfig]: Setting<BoundConfig[K]> } = {
  maxLogLineBytes: {
    name: 'maxLogLine',
    env: 'BATUTA_MAX_LOG_LINE',
    about: 'Longest message of a log line, and longest fields, that are kept with a run; the rest is cut, and the line says how much',
    defaultText: '64KiB',
    defaultValue: () => 64 * kib,
    read: readBytes(kib, 256 * kib),
    show: showBytes,
  },
  maxRunLogBytes: {
    name: 'maxRunLog',
    env: 'BATUTA_MAX_RUN_LOG',
    about: 'Log lines and artifacts of one run that a process keeps; what comes after is left out, and a line says how much',
    defaultText: '256MiB',
    defaultValue: () => 256 * mib,
    read: readBytes(kib, 64 * 1024 * mib),
    show: showBytes,
  },
  maxArtifactBytes: {
    name: 'maxArtifact',
    env: 'BATUTA_MAX_ARTIFACT',
    about: 'Largest artifact, as JSON; of a larger one the beginning is kept, and it says how much was cut',
    defaultText: '4MiB',
    defaultValue: () => 4 * mib,
    read: readBytes(kib, 64 * mib),
    show: showBytes,
  },
  maxBodyBytes: {
    name: 'maxBody',
    env: 'BATUTA_MAX_BODY',
    about: 'Largest body of a request to the server',
    defaultText: '1MiB',
    defaultValue: () => mib,
    read: readBytes(kib, 64 * mib),
    show: showBytes,
  },
  maxBulkBodyBytes: {
    name: 'maxBulkBody',
    env: 'BATUTA_MAX_BULK_BODY',
    about: 'Largest body of a request that submits many runs',
    defaultText: '16MiB',
    defaultValue: () => 16 * mib,
    read: readBytes(kib, 256 * mib),
    show: showBytes,
  },
  headersTimeoutMs: {
    name: 'headersTimeout',
    env: 'BATUTA_HEADERS_TIMEOUT',
    about: 'How long the head of a request to the server may take to arrive',
    defaultText: '15s',
    defaultValue: () => 15_000,
    read: readDuration(100),
    show: showMs,
  },
  requestTimeoutMs: {
    name: 'requestTimeout',
    env: 'BATUTA_REQUEST_TIMEOUT',
    about: 'How long a whole request to the server may take to arrive, with its body; at least `headersTimeout`',
    defaultText: '1m',
    defaultValue: () => 60_000,
    read: readDuration(100),
    show: showMs,
  },
};
