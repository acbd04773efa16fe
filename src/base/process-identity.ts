/**
 * Identifies a process, so that others can tell whether it is alive. A process id alone is not enough: the system reuses it, two containers
 * both have a process 1, and two machines may have one host name.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock } from './clock.ts';
import { machineKey, machineKeyChars, readMachine, readNamespace } from './machine.ts';

/** Same shape as `Owner` of the model. */
export interface ProcessIdentity {
  /**
   * `host@machine:pid:processStartedAt`, unique per process start. The machine is left out where the system does not say which it is or when
   * the process started, and by earlier versions.
   */
  readonly id: string;
  /** Host name, for people; in a container with its own process numbers, followed by `/` and the number of that namespace. */
  readonly host: string;
  readonly pid: number;
  /** Linux: ms from machine start to process start, unaffected by clock changes. Elsewhere UTC epoch ms. */
  readonly processStartedAt: number;
}

/** Status of a process: gone, alive with a known start, or alive without. */
type Standing = 'gone' | 'unknown' | { readonly startedAt: number };

/** Process id namespace of the machine itself; fixed in the kernel (PROC_PID_INIT_INO). */
const machineNamespace = '4026531836';
/** Clock ticks per second in /proc; fixed for all architectures Node runs on. */
const ticksPerSecond = 100;
/** `ps` has whole seconds. */
const psSlackMs = 1_500;

let own: ProcessIdentity | undefined;

/** Identity of this process; the same object on every call. */
export function identifyProcess(): ProcessIdentity {
  if (own !== undefined) return own;
  const host = hostOfProcesses();
  const standing = standingOf(process.pid);
  const processStartedAt = typeof standing === 'object' ? standing.startedAt : Math.round(systemClock.now() - process.uptime() * 1_000);
  const machine = typeof standing === 'object' ? machineKey(readMachine()) : undefined;
  const id = `${host}${machine === undefined ? '' : `@${machine}`}:${process.pid}:${processStartedAt}`;
  own = Object.freeze({ id, host, pid: process.pid, processStartedAt });
  return own;
}

const idForm = new RegExp(`^(.+?)(?:@([0-9a-f]{${machineKeyChars}}))?:(\\d+):(\\d+)$`);

/** Parts of a process's id; null if the text is no such id. */
export function readProcessId(id: string): ProcessIdentity | null {
  const [, host, , pid, processStartedAt] = idForm.exec(id) ?? [];
  if (host === undefined) return null;
  return { id, host, pid: Number(pid), processStartedAt: Number(processStartedAt) };
}

/**
 * True only if the process has certainly ended: it ran on this machine, and no process there has its id and start. For a process elsewhere,
 * or in doubt, false: then its lease decides. An id that does not name the machine is in doubt.
 */
export function isProcessGone(owner: ProcessIdentity): boolean {
  const machine = machineOf(identifyProcess().id);
  if (machine === undefined || machineOf(owner.id) !== machine) return false;
  const standing = standingOf(owner.pid);
  if (typeof standing === 'string') return standing === 'gone';
  return Math.abs(standing.startedAt - owner.processStartedAt) > (process.platform === 'linux' ? 0 : psSlackMs);
}

/** Whether the process certainly belongs to another machine or container. */
export function isProcessElsewhere({ id, host }: Pick<ProcessIdentity, 'id' | 'host'>): boolean {
  const here = identifyProcess();
  return host !== here.host || (machineOf(id) ?? machineOf(here.id)) !== machineOf(here.id);
}

/** Host and machine; undefined if the id does not name the machine. */
function machineOf(id: string): string | undefined {
  const [, host, machine] = idForm.exec(id) ?? [];
  return machine === undefined ? undefined : `${host}@${machine}`;
}

function hostOfProcesses(): string {
  const namespace = readNamespace();
  return namespace === undefined || namespace === machineNamespace ? hostname() : `${hostname()}/${namespace}`;
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
    // A process that sees another name space in /proc, as after `unshare --pid`, would read another process there.
    if (readlinkSync('/proc/self') !== String(process.pid)) return 'unknown';
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in brackets and may contain spaces and brackets.
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
