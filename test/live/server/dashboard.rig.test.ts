import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawn, faults, launch, noBrowser, openPage, serve, startServer } from './browser.ts';
import { SECRET } from './fixture.ts';

if (noBrowser) console.warn(`dashboard.rig.test.ts skipped: ${noBrowser}`);

const PAGES = [
  '/',
  '/vms',
  '/vms/shop-u1-1',
  '/anomalies',
  '/recommendations',
  '/policies',
  '/promotion',
  '/events',
  '/vms/nobody',
];

describe.skipIf(noBrowser)('the dashboard in Chromium', () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    browser = await launch();
    server = await startServer(2);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.app.close();
  });
  const open = (path: string, options = {}) => openPage(browser, server.url, path, options);

  for (const [name, width, colorScheme] of [
    ['light', 1440, 'light'],
    ['dark', 1440, 'dark'],
    ['narrow', 360, 'light'],
  ] as const) {
    test(`every page, ${name}: silent, within the page, accessible`, async () => {
      for (const path of PAGES) {
        const { page, complaints, close } = await open(path, {
          viewport: { width, height: 900 },
          colorScheme,
        });
        // The browser itself remarks on an answer that says there is no such VM.
        const expected =
          path === '/vms/nobody' ? complaints.splice(0).filter((c) => !c.includes('404')) : complaints;
        expect(expected, path).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width);
        expect(await faults(page), path).toEqual([]);
        await close();
      }
    });
  }

  test('dialogs are accessible too', async () => {
    const { page, close } = await open('/');
    await page.getByRole('button', { name: 'Stop all resizing' }).click();
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    expect(await faults(page)).toEqual([]);
    await close();
  });

  test('a tick shows by itself, and the theme can be chosen', async () => {
    const { page, complaints, close } = await open('/', { colorScheme: 'light' });
    const tick = server.operations.status().tick;
    await page.getByText(`tick ${tick} at`).waitFor();
    await server.operations.run(1);
    await page.getByText(`tick ${tick + 1} at`).waitFor();
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByLabel('Theme').selectOption('dark');
    expect(await ground()).not.toBe(light);
    await page.reload();
    await drawn(page, '/');
    expect(await ground()).not.toBe(light);
    expect(complaints).toEqual([]);
    await close();
  });

  /** Presses Tab until the element of that name has the focus, as a user without a pointer does. */
  async function tabTo(page: Page, name: RegExp): Promise<void> {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      const focused = (await page.evaluate(
        '(e => e === document.body ? "" : [e.ariaLabel, e.textContent, e.labels?.[0]?.textContent].join(" ").trim())(document.activeElement)',
      )) as string;
      if (name.test(focused)) return;
    }
    throw new Error(`Tab never reached ${name}`);
  }

  test('by keyboard alone: a recommendation is accepted, another dismissed', async () => {
    const own = await startServer(1);
    const { page, complaints, close } = await openPage(browser, own.url, '/recommendations');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo(page, /^Accept: orders/);
    await page.keyboard.press('Enter');
    // The field of the dialog has the focus.
    await page.getByLabel('Note for the journal').waitFor();
    await page.keyboard.type('agreed with the owner');
    await page.keyboard.press('Enter');
    // Nothing can be changed before the token is entered; it stays in this tab.
    await page.getByRole('textbox', { name: 'Token' }).waitFor();
    await page.keyboard.type(SECRET);
    await page.keyboard.press('Enter');
    await page.getByText('recommendation accepted').waitFor();
    const find = (id: string) => own.operations.recommendations().find((r) => r.id === id)!.state;
    expect(find('rightsize-orders')).toBe('accepted');
    expect(await page.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 1]);

    await page.getByRole('button', { name: /Accept: orders/ }).waitFor({ state: 'detached' });
    await tabTo(page, /^Dismiss: reports/);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    expect(find('policy-reports')).toBe('open');
    // The focus is back where it was.
    expect(await page.evaluate('document.activeElement.ariaLabel')).toMatch(/^Dismiss: reports/);
    await page.keyboard.press('Enter');
    await tabTo(page, /^Dismiss$/);
    await page.keyboard.press('Enter');
    await page.getByText('Nothing to recommend now').waitFor();
    expect(find('policy-reports')).toBe('dismissed');
    expect(complaints).toEqual([]);
    await close();
    await own.app.close();
  });

  test('by keyboard alone: the kill switch, with its confirmation; a wrong token is asked for again', async () => {
    const own = await startServer(1);
    const { page, complaints, close } = await openPage(browser, own.url, '/');
    await tabTo(page, /^Stop all resizing/);
    await page.keyboard.press('Enter');
    await page.getByLabel('Reason, for the journal').waitFor();
    // A reason is required.
    await page.keyboard.press('Enter');
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    await page.keyboard.type('maintenance');
    await tabTo(page, /Also lift the limits/);
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Token' }).waitFor();
    await page.keyboard.type('not-the-token-not-the-token-not-the-token');
    await page.keyboard.press('Enter');
    await page.getByText('did not accept that token').waitFor();
    expect(own.operations.status().killSwitch.engaged).toBe(false);
    await page.getByRole('textbox', { name: 'Token' }).fill(SECRET);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Resume resizing' }).waitFor();
    expect(own.operations.status().killSwitch).toMatchObject({ engaged: true, reason: 'maintenance' });
    expect(own.operations.events(0, 1)[0]!.text).toMatch(/limits lifted/);

    await tabTo(page, /^Resume resizing/);
    await page.keyboard.press('Enter');
    await tabTo(page, /^Resume resizing/);
    await page.keyboard.press('Enter');
    await page.getByText('Resizing is resumed').waitFor();
    expect(own.operations.status().killSwitch.engaged).toBe(false);
    expect(complaints.filter((c) => !c.includes('401'))).toEqual([]);
    await close();
    await own.app.close();
  });

  test('the policy of an application and the stage are changed, and refused changes are told', async () => {
    const own = await startServer(1);
    const { page, close } = await openPage(browser, own.url, '/policies');
    await page.getByLabel('Policy of shop').selectOption('seed');
    await page.getByRole('button', { name: 'Change the policy' }).click();
    await page.getByRole('textbox', { name: 'Token' }).fill(SECRET);
    await page.keyboard.press('Enter');
    await page.getByText('shop is under seed').waitFor();
    expect(own.operations.controller.policyOf('shop')).toBe('seed');
    await page.getByRole('link', { name: 'Promotion' }).click();
    await drawn(page, '/promotion');
    await page.getByRole('button', { name: 'Advance to all' }).click();
    await page.getByText('Not kept at the moment: Resizes').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Advance to all' }).click();
    await page.getByText('The stage is all').waitFor();
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByLabel('Reason').fill('test');
    await page.keyboard.press('Enter');
    await page.getByText('Rolled back to shadow').waitFor();
    expect(own.operations.stage().name).toBe('shadow');
    await close();
    await own.app.close();
  });

  test('events arrive as they happen, and the daemon’s restart is bridged', async () => {
    const own = await startServer(1);
    const { page, close } = await openPage(browser, own.url, '/events');
    await own.operations.engageKillSwitch('first', false, 'test');
    await page.getByText('all resizing stopped by test: first').waitFor();
    const port = Number(new URL(own.url).port);
    await own.app.close();
    await page.getByText('Live updates are cut off').waitFor();
    await own.operations.releaseKillSwitch('test, while cut off');
    const again = await serve(own.operations, port);
    await page.getByText('resumed by test, while cut off').waitFor();
    await page.getByText('Live updates are cut off').waitFor({ state: 'detached' });
    await close();
    await again.close();
  });

  test('a VM’s chart tells its figures to those who do not see it', async () => {
    const { page, close } = await open('/vms/shop-u1-1');
    const label = await page.locator('.plot').first().getAttribute('aria-label');
    expect(label).toMatch(
      /CPU of shop-u1-1 over a day: now .* cores used of .* cores allocated\. At most .* is expected/,
    );
    await page.getByText('Memory', { exact: true }).click();
    await expect
      .poll(() => page.locator('.plot').first().getAttribute('aria-label'))
      .toMatch(/^Memory of .* GiB used/);
    await page.getByText('as a table').click();
    expect(await page.getByRole('row').count()).toBe(25);
    await close();
  });
});
