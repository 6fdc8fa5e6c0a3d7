import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { examineLive, type LiveDoctorOptions } from '../../live/doctor.ts';
import { LibvirtConnection } from '../../live/libvirt/connection.ts';
import { eventually, noLibvirt } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'foresize-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const mapping = join(folder, 'mapping.yaml');
writeFileSync(mapping, 'domains: [{ domain: test, application: a, user: u }]');

async function examine(options: LiveDoctorOptions) {
  const checks = await examineLive(options);
  return Object.fromEntries(checks.map(({ name, ok, found }) => [name, `${ok ? 'ok' : 'MISS'} ${found}`]));
}

describe.skipIf(noLibvirt)('doctor --live', () => {
  it("finds what libvirt's test driver has and what it lacks", async () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'x'.repeat(40));
    chmodSync(token, 0o644);
    const journal = join(folder, 'new', 'journal');
    expect(await examine({ uri: 'test:///default', mapping, journal, tokenFile: token })).toEqual({
      'node version': `ok ${process.versions.node}`,
      'libvirt library': 'ok libvirt.so.0 loads',
      'libvirt reading': expect.stringMatching(
        /^ok test:\/\/\/default answers: TEST, libvirt \d+\.\d+\.\d+$/,
      ),
      'libvirt control': expect.stringMatching(/^ok /),
      'managed VMs': 'ok 1 run of 1 that are tagged or listed; the host has 1',
      'balloon stats': expect.stringMatching(/^MISS missing for test: /),
      'vCPU delay': expect.stringMatching(/^MISS missing for test: /),
      'CPU quota': expect.any(String),
      'journal folder': `ok ${journal} can be made`,
      token: expect.stringMatching(/^MISS API_TOKEN_EXPOSED/),
    });
  });
  it('says what is wrong with a URI and a mapping, and goes on', async () => {
    const wrong = await examine({ uri: 'qemu+unix:///system?socket=/nowhere', journal: folder });
    expect(wrong['libvirt reading']).toMatch(/^MISS LIBVIRT_UNREACHABLE/);
    expect(wrong['libvirt control']).toMatch(/^MISS LIBVIRT_UNREACHABLE/);
    expect(wrong['journal folder']).toBe(`ok ${folder} is writable`);
    writeFileSync(join(folder, 'wrong.yaml'), 'domains: [{ domain: nobody, application: a, user: u }]');
    const mapped = await examine({ uri: 'test:///default', mapping: join(folder, 'wrong.yaml') });
    expect(mapped['managed VMs']).toMatch(/^MISS MAPPING_UNKNOWN_DOMAIN/);
  });
});

const rig = inject('rig');
describe.skipIf(rig.uri === '')('doctor --live on real guests', () => {
  it('finds all there is, and leaves every limit as it was', async () => {
    const limits = async () => {
      const connection = await LibvirtConnection.open({ uri: rig.uri, readOnly: true });
      const domains = await connection.call('list');
      const samples = await Promise.all(
        domains.map(({ uuid }) => connection.call('sample', uuid, ['cpu', 'diskIo'])),
      );
      await connection.close();
      return samples.map(({ scheduler, tunes, info }) => [scheduler, tunes, info.vcpus]);
    };
    const before = await limits();
    // A guest that another test has started anew takes a while until its balloon is there.
    const found = await eventually('all guests are up', async () => {
      const now = await examine({ uri: rig.uri });
      return now['balloon stats']!.startsWith('ok') && now;
    });
    expect(found['managed VMs']).toBe('ok 3 run of 3 that are tagged or listed; the host has 4');
    for (const name of ['libvirt control', 'balloon stats', 'vCPU delay', 'CPU quota']) {
      expect(found[name], name).toMatch(/^ok /);
    }
    expect(await limits()).toEqual(before);
  });
});
