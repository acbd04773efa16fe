/**
 * Where alerts may send requests: not to this machine or its private network, unless the settings allow it.
 *
 * A name is resolved once, all its addresses are checked, and the connection goes to one of them: a name that resolves differently a moment
 * later has no effect. Redirects are not followed.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { NotSent } from '../deliver.ts';

export interface OpenAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Finds the addresses of a name. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string }[]>;

/** All that IANA has given out of IPv6. Outside of it are forms of IPv4 addresses that no range names, such as `::7f00:1`. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether an address is a public internet address. IPv4 inside IPv6 counts as its IPv4 address. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // Everything else has a special use: loopback, private, link-local, carrier-grade NAT, multicast, tunnels to IPv4 and similar.
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(globalUnicast);
}

/**
 * What the settings allow in addition.
 *
 * @param allowed host names, addresses, and ranges such as `10.1.0.0/16`; `*` is everything
 */
export function allowance(allowed: readonly string[]): (host: string, address: string) => boolean {
  return (host, address) =>
    allowed.some((one) => {
      if (one === '*' || one.toLowerCase() === host.toLowerCase()) return true;
      const parsed = ipaddr.process(address);
      if (ipaddr.isValid(one)) return ipaddr.process(one).toString() === parsed.toString();
      if (!ipaddr.isValidCIDR(one)) return false;
      const [range, bits] = ipaddr.parseCIDR(one);
      return range.kind() === parsed.kind() && parsed.match(range, bits);
    });
}

/**
 * The addresses at which a host may be reached, at least one.
 *
 * @throws NotSent if one of them is private; Error if the name cannot be resolved
 */
export async function openAddresses(
  hostname: string,
  allowed: readonly string[],
  resolve: Resolve = (name) => lookup(name, { all: true, verbatim: true }),
): Promise<readonly OpenAddress[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host) === 0 ? await resolve(host) : [{ address: host }];
  const isAllowed = allowance(allowed);
  for (const { address } of found) {
    if (isPublicAddress(address) || isAllowed(host, address)) continue;
    throw new NotSent(`${host} is at ${address}, which is private; BATUTA_ALERT_HOSTS allows it where that is meant.`);
  }
  if (found.length === 0) throw new Error(`${host} has no address.`);
  return found.map(({ address }) => ({ address, family: isIP(address) === 6 ? 6 : 4 }));
}
