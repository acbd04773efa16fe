/** The dashboard below a path in a real browser: behind a proxy that strips the path, one that keeps it, and inside a program. */
import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser } from '../support/browser.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

const flows = `import { Flow, Task } from 'batuta';
@Flow() export class Hello { @Task() async hello() { return 'x'.repeat(10); } }`;

let browser: TestBrowser;
let project: CliProject;
let server: Started;
let target: number;
beforeAll(async () => {
  await buildDashboard();
  project = makeCliProject({ 'flows/hello.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
  expect((await project.batuta('run', 'hello')).status).toBe(0);
  server = project.startWith({ BATUTA_BASE_PATH: '/tools/batuta/' }, 'server', '--port', '0');
  await server.sees('/tools/batuta on');
  target = Number(/127\.0\.0\.1:(\d+)/.exec(server.output())?.[1]);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.child.kill('SIGTERM');
  await server?.finished;
  project?.remove();
});

/** A proxy that hands on what is below the path, with it or without it. */
async function openProxy(strips: boolean): Promise<{ readonly url: string; readonly proxy: Server }> {
  const proxy = createServer((incoming, outgoing) => {
    const { url = '/', method, headers } = incoming;
    if (!url.startsWith('/tools/batuta')) return void outgoing.writeHead(404).end("not the proxy's");
    const path = strips ? url.slice('/tools/batuta'.length) || '/' : url;
    const passed = ask({ port: target, host: '127.0.0.1', method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, proxy };
}

describe.each([
  ['keeps', false],
  ['strips', true],
])('behind a proxy that %s the path', (_what, strips) => {
  test('pages, links, live events and the description of the API work', async () => {
    const { url, proxy } = await openProxy(strips);
    try {
      const { page, faults } = await browser.open(`${url}/tools/batuta`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByRole('link', { name: 'Runs', exact: true }).first().click();
      await page.waitForURL(`${url}/tools/batuta/runs**`);
      await page.getByRole('row').filter({ hasText: 'hello' }).getByRole('link').first().click();
      await page.waitForURL(`${url}/tools/batuta/runs/*`);
      await page.locator('header [data-state="Completed"]').waitFor();
      await page.reload();
      await page.locator('header [data-state="Completed"]').waitFor();
      const docs = await page.goto(`${url}/tools/batuta/api/docs`);
      expect(docs?.status()).toBe(200);
      await page.getByText('Batuta').first().waitFor();
      expect(faults()).toEqual([]);
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });
});

test('the command line asks a server below a path', async () => {
  const { stdout } = await project.batutaWith({ BATUTA_API_URL: `http://127.0.0.1:${target}/tools/batuta` }, 'runs', 'ls', '--json');
  expect(JSON.parse(stdout)).toMatchObject([{ flow: 'hello' }]);
});
