import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { coreOf, liveSchema } from '../../live/config.ts';
import { parseMapping } from '../../live/libvirt/mapping.ts';
import { prepareApi } from '../../live/server/config.ts';

const file = (name: string) => fileURLToPath(new URL(`../../live/install/${name}`, import.meta.url));

it('the example of a configuration can be used as it is', () => {
  const config = liveSchema.parse(parse(readFileSync(file('foresize.yaml'), 'utf8')));
  expect(coreOf(config).controller.applications).toEqual({ legacy: 'hands-off' });
  const { tokenFile, ...rest } = config.api!;
  expect(tokenFile).toBe('/etc/foresize/token');
  expect(prepareApi(rest, {}).openReads).toBe(true);
});

it('the example of a mapping can be used as it is', () => {
  expect(parseMapping(readFileSync(file('mapping.yaml'), 'utf8'), 'mapping.yaml')).toHaveLength(2);
});

const systemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!systemd) console.warn('the unit was not verified: no systemd-analyze');

/** Exposure allowed, in tenths: what has no network and what begins nothing but others stand apart. */
const UNITS = { 'foresize.service': 20, 'foresize-advice.service': 40, 'foresize-advice.timer': undefined };

it.skipIf(!systemd).each(Object.entries(UNITS))('systemd finds nothing wrong with %s', (name, exposure) => {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-unit-'));
  // The units stand together: the timer names the service it starts.
  for (const unit of Object.keys(UNITS)) writeFileSync(join(folder, unit), readFileSync(file(unit), 'utf8'));
  const unit = join(folder, name);
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  const about = verified.stderr.split('\n').filter((line) => line.includes('foresize'));
  expect(about.filter((line) => !line.includes('libvirtd.service'))).toEqual([]);
  if (exposure !== undefined) {
    const security = spawnSync(
      'systemd-analyze',
      ['security', '--offline=yes', `--threshold=${exposure}`, unit],
      { encoding: 'utf8' },
    );
    expect(security.status, security.stdout.split('\n').slice(-3).join(' ')).toBe(0);
  }
  rmSync(folder, { recursive: true });
});
