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

it.skipIf(!systemd)('systemd finds nothing wrong with the unit, and little exposed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-unit-'));
  const unit = join(folder, 'foresize.service');
  // The user is made at installation; verify would look for it here.
  writeFileSync(unit, readFileSync(file('foresize.service'), 'utf8'));
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  const about = verified.stderr.split('\n').filter((line) => line.includes('foresize.service'));
  expect(about.filter((line) => !line.includes('libvirtd.service'))).toEqual([]);
  const security = spawnSync('systemd-analyze', ['security', '--offline=yes', '--threshold=20', unit], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  // An exposure of 2.0 of 10 at most.
  expect(security.status, security.stdout.split('\n').slice(-3).join(' ')).toBe(0);
});
