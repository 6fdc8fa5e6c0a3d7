import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { listen } from '../../../live/server/listen.ts';
import { createServer } from '../../../live/server/server.ts';
import { settingsOf } from './fixture.ts';
import { SimulatedOperations } from './operations.ts';

const CHROMIUM = process.env['FORESIZE_CHROMIUM'] ?? '/usr/bin/chromium';
/** Why there is no browser to test with. */
export const noBrowser = existsSync(CHROMIUM)
  ? undefined
  : `no Chromium at ${CHROMIUM} (set FORESIZE_CHROMIUM)`;

const require = createRequire(import.meta.url);
const DAY = 86_400_000;

export function launch(): Promise<Browser> {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath: CHROMIUM, args: [...args, ...quiet] });
}

const LIMITS = { readsPerMinute: 100_000, writesPerMinute: 1000, bodyKib: 16, streams: 32 };

/** Serves them on a port of loopback; 0 takes a free one. */
export async function serve(operations: SimulatedOperations, port: number) {
  const settings = settingsOf({ port, limits: LIMITS });
  const app = await createServer(operations, settings);
  await listen(app, settings);
  return app;
}

/** A server over simulated VMs whose last tick is about now, of at least `days` days. */
export async function startServer(days: number) {
  const probe = await SimulatedOperations.create();
  const { epochMs, stepMs } = probe.controller;
  // Whole days are added, so that the hours of the workload stay what they are.
  const shift = Math.floor((Date.now() - epochMs) / DAY - days) * DAY;
  const operations = await SimulatedOperations.create(shift);
  await operations.run(Math.floor((Date.now() - epochMs - shift) / stepMs) + 1);
  const app = await serve(operations, 0);
  const { port } = app.server.address() as AddressInfo;
  return { app, operations, url: `http://127.0.0.1:${port}` };
}

/** Opens a page; every word on the console and every request elsewhere is a complaint. */
export async function openPage(
  browser: Browser,
  base: string,
  path: string,
  options: BrowserContextOptions = {},
) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(base)) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(base + path);
  await drawn(page, path);
  return { page, complaints, close: () => context.close() };
}

/** Waits until the page of this path shows what it has read. */
export async function drawn(page: Page, path: string): Promise<void> {
  await page.waitForSelector(`html[data-drawn="${path}"]`, { timeout: 30_000 });
}

/** What axe finds fault with. */
export async function faults(page: Page): Promise<string[]> {
  // By the debugger, which the policy of the page does not bind.
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const result = (await page.evaluate('axe.run()')) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
}
