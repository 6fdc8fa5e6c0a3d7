import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { runLive } from '../../live/run-live.ts';
import { CODE, written } from './promote/bundle.ts';

const dir = mkdtempSync(join(tmpdir(), 'foresize-run-'));
const made = written();
afterAll(() => {
  rmSync(dir, { recursive: true });
  made.remove();
});

/** What `foresize live --apply` refuses a configuration with; it must not get as far as the journal or libvirt. */
async function refused(text: string, codeVersion = CODE): Promise<ForesizeError> {
  const config = join(dir, 'live.yaml');
  const journal = join(dir, 'journal');
  writeFileSync(config, `apiVersion: foresize/v1\nuri: test:///default\n${text}\n`);
  const error = await runLive({ config, journal, apply: true }, codeVersion).catch((e: unknown) => e);
  expect(existsSync(journal)).toBe(false);
  if (error instanceof ForesizeError) return error;
  throw error;
}

describe('foresize live', () => {
  it('takes no bundle that was changed, that is of other code or of another tick', async () => {
    const bundle = `bundle: ${made.folder}`;
    expect(await refused(bundle, '0.0.9')).toMatchObject({
      code: 'BUNDLE_OTHER_CODE',
      exitCode: EXIT.refused,
    });
    expect(await refused(`${bundle}\ntick: 1m`)).toMatchObject({
      code: 'BUNDLE_OTHER_TICK',
      exitCode: EXIT.refused,
    });
    writeFileSync(join(made.folder, 'config.json'), '{}');
    expect(await refused(bundle)).toMatchObject({ code: 'BUNDLE_TAMPERED', exitCode: EXIT.refused });
  });

  it('takes a bundle or policies, and not both or none', async () => {
    const policies = 'policies: { still: { kind: static } }\npolicy: still';
    const both = await refused(`bundle: ${made.folder}\n${policies}\nguards: {}`);
    expect(both.problems.map(({ code, where }) => [code, where?.split(': ')[1]])).toEqual([
      ['CONFIG_INVALID', 'policies'],
      ['CONFIG_INVALID', 'policy'],
      ['CONFIG_INVALID', 'guards'],
    ]);
    const none = await refused('tick: 5m');
    expect(none.problems.map(({ where }) => where?.split(': ')[1])).toEqual(['policies', 'policy']);
  });

  it('does not start where the API would be unsafe', async () => {
    const policies = 'policies: { still: { kind: static } }\npolicy: still';
    const error = await refused(`${policies}\napi: { host: 0.0.0.0 }`);
    expect(error.problems.map(({ code }) => code)).toEqual(['API_TOKEN_REQUIRED', 'API_TLS_REQUIRED']);
    const hook = await refused(`${policies}\nanomalyWebhook: ftp://example.org/`);
    expect(hook).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
