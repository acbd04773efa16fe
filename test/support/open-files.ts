/** Files that this process has open, by their paths; none where the system does not list them. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';

export function openFiles(): readonly string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
}
