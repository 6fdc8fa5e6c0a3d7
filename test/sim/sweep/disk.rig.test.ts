import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { foresize } from './cli.ts';
import { bench, tableBytes } from './fixture.ts';

const mount = mkdtempSync(join(tmpdir(), 'foresize-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'foresize', mount]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [mount]);
  rmSync(mount, { recursive: true, force: true });
});

describe.skipIf(!mounted)(`a full disk${mounted ? '' : ' (cannot mount one here)'}`, () => {
  it('stops the sweep with a coded error, and what is finished is kept', async () => {
    const here = bench();
    const spec = here.write({ axes: { seed: { from: 1, to: 30, steps: 30, integer: true } } });
    const out = join(mount, 'sweep');
    rmSync(out, { recursive: true, force: true });
    const ballast = join(mount, 'ballast');
    writeFileSync(ballast, new Uint8Array(1950 * 1024));
    const full = await foresize(['sweep', spec, '--out', out, '--quiet'], here.folder);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/^SWEEP_UNWRITABLE: /);
    const kept = readdirSync(join(out, 'runs'));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(30);
    const times = kept.map((name) => statSync(join(out, 'runs', name)).mtimeMs);

    rmSync(ballast);
    const rest = await foresize(['sweep', spec, '--out', out, '--quiet', '--resume'], here.folder);
    expect(rest.stderr).toBe('');
    expect(rest.code).toBe(0);
    expect(kept.map((name) => statSync(join(out, 'runs', name)).mtimeMs)).toEqual(times);
    await foresize(['sweep', spec, '--out', 'whole', '--quiet'], here.folder);
    expect(tableBytes(out)).toEqual(tableBytes(here.path('whole')));
    here.remove();
  });
});
