/**
 * Who a process is, so that another one can tell whether it still lives. A process id alone does not do: the system gives
 * it out again, and two containers both have a process 1.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock } from './clock.ts';

/** Same shape as `Owner` of the model. */
export interface ProcessIdentity {
  /** `host:pid:processStartedAt`, unique per process start. */
  readonly id: string;
  /** Host name; inside a container whose processes are numbered apart, followed by `/` and the number of that name space. */
  readonly host: string;
  readonly pid: number;
  /** Linux: ms from the start of the machine to the start of the process, which no change of the clock moves. Elsewhere UTC epoch ms. */
  readonly processStartedAt: number;
}

/** How a process stands: gone, alive and started at a known moment, or alive and no more is known. */
type Standing = 'gone' | 'unknown' | { readonly startedAt: number };

/** Name space of process ids that a machine itself has; fixed in the kernel (PROC_PID_INIT_INO). */
const machineNamespace = '4026531836';
/** Clock ticks in a second as /proc counts them; fixed for all architectures Node runs on. */
const ticksPerSecond = 100;
/** `ps` gives whole seconds. */
const psSlackMs = 1_500;

let own: ProcessIdentity | undefined;

/** Identity of this process; the same object on every call. */
export function identifyProcess(): ProcessIdentity {
  if (own !== undefined) return own;
  const host = hostOfProcesses();
  const standing = standingOf(process.pid);
  const processStartedAt = typeof standing === 'object' ? standing.startedAt : Math.round(systemClock.now() - process.uptime() * 1_000);
  own = Object.freeze({ id: `${host}:${process.pid}:${processStartedAt}`, host, pid: process.pid, processStartedAt });
  return own;
}

/** What the id of a process is made of; null for a text that is no such id. */
export function readProcessId(id: string): ProcessIdentity | null {
  const [, host, pid, processStartedAt] = /^(.+):(\d+):(\d+)$/.exec(id) ?? [];
  if (host === undefined) return null;
  return { id, host, pid: Number(pid), processStartedAt: Number(processStartedAt) };
}

/**
 * True only when it is certain that the process has ended: it ran on this host, and no process there has its id and its
 * start. Of a process elsewhere, or when in doubt, false: then its lease decides.
 */
export function isProcessGone(owner: Pick<ProcessIdentity, 'host' | 'pid' | 'processStartedAt'>): boolean {
  if (owner.host !== identifyProcess().host) return false;
  const standing = standingOf(owner.pid);
  if (typeof standing === 'string') return standing === 'gone';
  return Math.abs(standing.startedAt - owner.processStartedAt) > (process.platform === 'linux' ? 0 : psSlackMs);
}

function hostOfProcesses(): string {
  const namespace = readNamespace();
  return namespace === undefined || namespace === machineNamespace ? hostname() : `${hostname()}/${namespace}`;
}

function readNamespace(): string | undefined {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
  } catch {
    return undefined;
  }
}

function standingOf(pid: number): Standing {
  if (!Number.isInteger(pid) || pid <= 0) return 'unknown';
  if (!hasProcess(pid)) return 'gone';
  return process.platform === 'linux' ? readProc(pid) : askPs(pid);
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Source: proc_pid_stat(5), fields 3 (state) and 22 (start time in clock ticks since the machine started). */
function readProc(pid: number): Standing {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in brackets and may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return 'gone';
    const startedAt = (Number(fields[19]) * 1_000) / ticksPerSecond;
    return Number.isFinite(startedAt) ? { startedAt } : 'unknown';
  } catch {
    return 'unknown';
  }
}

function askPs(pid: number): Standing {
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    timeout: 2_000,
  });
  const startedAt = status === 0 ? Date.parse(`${stdout.trim()} UTC`) : Number.NaN;
  return Number.isNaN(startedAt) ? 'unknown' : { startedAt };
}
