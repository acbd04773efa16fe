/** Which names and addresses mean this computer. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Finds the addresses of a name. */
export type FindAddresses = (name: string) => Promise<readonly { readonly address: string }[]>;

/** Whether only this computer can reach a listener on a host; for a name, all addresses must qualify, as any may be used. */
export async function isReachedFromHereAlone(
  host: string,
  findAddresses: FindAddresses = (name) => lookup(name, { all: true }),
): Promise<boolean> {
  if (host === '' || isIP(host) !== 0) return isLoopbackHost(host);
  const addresses = await findAddresses(host).catch(() => []);
  return addresses.length > 0 && addresses.every(({ address }) => isLoopbackHost(address));
}

/** Whether a name or address, as in a request, means this computer. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    isLoopbackV4(name) ||
    isLoopbackV4(name.replace(/^::ffff:/, ''))
  );
}

/** The name in a Host header or an origin, without port; null if there is none. */
export function hostnameOf(hostOrOrigin: string): string | null {
  const text = hostOrOrigin.includes('://') ? hostOrOrigin : `http://${hostOrOrigin}`;
  if (!URL.canParse(text)) return null;
  const { hostname } = new URL(text);
  return hostname === '' ? null : hostname;
}

function isLoopbackV4(name: string): boolean {
  const parts = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name)?.slice(1);
  return parts !== undefined && parts.every((part) => Number(part) <= 255);
}
