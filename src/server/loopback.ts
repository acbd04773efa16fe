/** Which names and addresses mean this computer. */

/** Whether an address to listen on is reached from this computer alone. */
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

/** The name in a Host header or an origin, without port; null when there is none. */
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
