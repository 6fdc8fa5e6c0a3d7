import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { htmlReport } from '../../../sim/report/html.ts';
import { fixtureComparison } from './fixture.ts';

const CHROMIUM = process.env['FORESIZE_CHROMIUM'] ?? '/usr/bin/chromium';
const present = existsSync(CHROMIUM);
if (!present) console.warn(`html.rig.test.ts skipped: no Chromium at ${CHROMIUM} (set FORESIZE_CHROMIUM).`);

const require = createRequire(import.meta.url);

/** What axe reports, as far as it is read here. */
interface AxeResult {
  violations: { id: string; impact: string | null; nodes: { html: string }[] }[];
}

describe.skipIf(!present)('the HTML report in Chromium, offline', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'foresize-report-'));
  const comparison = fixtureComparison({ days: 3 });
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return `file://${path}`;
  };

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens the report and waits for its charts; every word on the console and every request is a complaint. */
  async function open(url: string, options: BrowserContextOptions) {
    const context = await browser.newContext({ offline: true, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:'))
        complaints.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    await page.waitForSelector('html[data-drawn]', { timeout: 60_000 });
    return { page, complaints };
  }

  const serious = async (page: Page) => {
    await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const result = (await page.evaluate('axe.run()')) as AxeResult;
    return result.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  };

  test.each([
    { name: 'light', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { name: 'dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
    { name: 'narrow', viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  ] as const)(
    '$name: draws every chart, silently, within the page, and accessibly',
    async ({ name, ...options }) => {
      const { page, complaints } = await open(file(`${name}.html`, htmlReport(comparison)), options);
      const charts = await page.locator('[data-chart]').count();
      expect(charts).toBeGreaterThan(15);
      expect(await page.locator('[data-chart] svg').count()).toBe(charts);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(options.viewport.width);
      expect(await serious(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  test('the pickers change the charts, and the keyboard reaches them', async () => {
    const url = file('pickers.html', htmlReport(comparison));
    const { page, complaints } = await open(url, { viewport: { width: 1280, height: 900 } });
    const chart = (name: string) => page.locator(`[data-chart="${name}"]`).innerHTML();

    const before = await chart('forecast');
    await page.locator('#pick-vm-policy').selectOption('static');
    await expect.poll(() => page.locator('#vm-forecast-note').textContent()).toContain('makes no forecast');
    await expect.poll(() => chart('forecast')).not.toBe(before);

    const cores = await chart('allocation');
    await page.locator('#pick-vm-resource').focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.locator('#vm-unit-2').textContent()).toBe('GiB');
    await expect.poll(() => chart('allocation')).not.toBe(cores);

    const plane = await chart('plane');
    await page.locator('#pick-plane-of').selectOption('cpu');
    await expect.poll(() => chart('plane')).not.toBe(plane);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a change of theme draws the charts in its colours', async () => {
    const url = file('theme.html', htmlReport(comparison));
    const { page } = await open(url, { colorScheme: 'light' });
    const ink = () =>
      page.evaluate(
        "getComputedStyle(document.querySelector('[data-chart=plane] text')).fill",
      ) as Promise<string>;
    const light = await ink();
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(ink).not.toBe(light);
    await page.context().close();
  });

  test('a single run, a hostile name', async () => {
    const run = { ...comparison.runs[4]!, scenario: '</script><script>document.title="stolen"</script>' };
    const { page, complaints } = await open(file('single.html', htmlReport(run)), {});
    expect(await page.title()).toContain('</script>');
    expect(await page.locator('h1').textContent()).toBe(run.scenario);
    expect(await page.locator('#differences').count()).toBe(0);
    expect(await serious(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
