/** Which machine this is, and which container on it: host names do not tell, as many are `localhost` or from one image. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/** Identifies a machine. Empty where the system does not say. */
export interface MachineFacts {
  /** Set by the kernel at boot. */
  readonly bootId: string;
  /** Number of the process id namespace. */
  readonly namespace: string;
  /** Number of the time namespace: in another one the same process appears to have started at another time. */
  readonly timeNamespace: string;
  readonly containerId: string;
}

/** Length of a key. */
export const machineKeyChars = 12;

/** Facts from the system. */
export function readMachine(): MachineFacts {
  return {
    bootId: process.platform === 'darwin' ? askSysctl() : readText('/proc/sys/kernel/random/boot_id').trim(),
    namespace: readNamespace() ?? '',
    timeNamespace: readNamespace('time') ?? '',
    containerId: containerIdIn(readText('/proc/self/mountinfo')) ?? '',
  };
}

/** The same for all processes that can see each other, and no others; undefined without a boot id, as machines of one host name would share the key. */
export function machineKey({ bootId, namespace, timeNamespace, containerId }: MachineFacts): string | undefined {
  if (bootId === '') return undefined;
  return createHash('sha256').update([bootId, namespace, timeNamespace, containerId].join('\n')).digest('hex').slice(0, machineKeyChars);
}

/** Number of a namespace of this process; undefined if there is none. */
export function readNamespace(kind: 'pid' | 'time' = 'pid'): string | undefined {
  try {
    return /\d+/.exec(readlinkSync(`/proc/self/ns/${kind}`))?.[0];
  } catch {
    return undefined;
  }
}

/**
 * The id of the container whose mounts these are; undefined outside one. Docker, containerd, CRI-O and Podman mount their own file as
 * `/etc/hostname`, under the id of the container (in Kubernetes: of its pod). Source: proc_pid_mountinfo(5), fields 4 and 5.
 */
export function containerIdIn(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [, , , root, point] = line.split(' ');
    if (point === '/etc/hostname') return /[0-9a-f]{64}/.exec(root ?? '')?.[0];
  }
  return undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function askSysctl(): string {
  const { status, stdout } = spawnSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8', timeout: 2_000 });
  return status === 0 ? stdout.trim() : '';
}
