import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ForesizeError } from '../core/errors.ts';
import { LibvirtConnection } from './libvirt/connection.ts';
import { assignDomains, checkMapping } from './libvirt/domains.ts';
import { loadLibvirt } from './libvirt/ffi.ts';
import { readMapping } from './libvirt/mapping.ts';
import type { RawSample } from './libvirt/session-types.ts';
import { readToken } from './server/token.ts';

/** One thing that was looked at: whether it is as the daemon needs it, and what to do if not. */
export interface LiveCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

export interface LiveDoctorOptions {
  readonly uri: string;
  readonly mapping?: string | undefined;
  readonly journal?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Managed VMs that are read to see what they tell. */
const MOST_VMS = 8;
const NODE = [20, 19] as const;

/**
 * Looks at all the daemon needs, by reading alone: VMs that are tagged or listed are read once, as telemetry reads them.
 * The writable connection is proved to be one and closed again.
 */
export async function examineLive(options: LiveDoctorOptions): Promise<LiveCheck[]> {
  const checks = [nodeVersion(process.versions.node)];
  const library = await check('libvirt library', async () => {
    await loadLibvirt();
    return 'libvirt.so.0 loads';
  });
  checks.push(library);
  if (library.ok) checks.push(...(await examineHost(options)));
  if (options.journal !== undefined) checks.push(folderWritable(options.journal));
  checks.push(await tokenFile(options.tokenFile));
  return checks;
}

async function examineHost({ uri, mapping }: LiveDoctorOptions): Promise<LiveCheck[]> {
  const checks: LiveCheck[] = [];
  let telemetry: LibvirtConnection | undefined;
  checks.push(
    await check('libvirt reading', async () => {
      telemetry = await LibvirtConnection.open({ uri, readOnly: true });
      const { type, version } = telemetry.host;
      return `${uri} answers: ${type}, libvirt ${versionText(version)}`;
    }),
  );
  checks.push(
    await check('libvirt control', async () => {
      const control = await LibvirtConnection.open({ uri, readOnly: false });
      await control.close();
      return 'the user may resize VMs (needed for --apply alone)';
    }),
  );
  if (!telemetry) return checks;
  try {
    const samples = new Map<string, RawSample>();
    checks.push(await check('managed VMs', () => readVms(telemetry!, mapping, samples)));
    checks.push(...examineSamples(samples));
  } finally {
    await telemetry.close();
  }
  return checks;
}

/** Reads the managed VMs that run into `samples`. */
async function readVms(
  telemetry: LibvirtConnection,
  file: string | undefined,
  samples: Map<string, RawSample>,
): Promise<string> {
  const mapping = file === undefined ? [] : readMapping(file);
  const domains = await telemetry.call('list');
  checkMapping(domains, mapping);
  const { assigned, problems } = assignDomains(domains, mapping);
  if (problems.length > 0) throw new ForesizeError(problems.flatMap((problem) => problem.problems));
  const active = assigned.filter((domain) => domain.active);
  for (const { name, uuid } of active.slice(0, MOST_VMS)) {
    samples.set(name, await telemetry.call('sample', uuid, ['cpu', 'memory']));
  }
  return `${active.length} run of ${assigned.length} that are tagged or listed; the host has ${domains.length}`;
}

function examineSamples(samples: ReadonlyMap<string, RawSample>): LiveCheck[] {
  const about = (name: string, has: (sample: RawSample) => boolean, remedy: string): LiveCheck => {
    if (samples.size === 0) return { name, ok: true, found: 'not looked at: no managed VM runs' };
    const without = [...samples].filter(([, sample]) => !has(sample)).map(([vm]) => vm);
    return without.length === 0
      ? { name, ok: true, found: `told for ${samples.size} of ${samples.size} VMs` }
      : { name, ok: false, found: `missing for ${without.join(', ')}: ${remedy}` };
  };
  return [
    about(
      'balloon stats',
      ({ stats }) => stats['balloon.usable'] !== undefined && Number(stats['balloon.last-update']) > 0,
      "memory is not managed there; load virtio_balloon in the guest and set <stats period='5'/>",
    ),
    about(
      'vCPU delay',
      ({ stats }) => Object.keys(stats).some((key) => /^vcpu\.\d+\.delay$/.test(key)),
      'starvation is not seen; needs libvirt 7.1 and a kernel with schedstats',
    ),
    about(
      'CPU quota',
      ({ scheduler }) => scheduler !== undefined && 'vcpu_quota' in scheduler,
      'CPU can only grow; the host needs the cpu cgroup controller',
    ),
  ];
}

function nodeVersion(version: string): LiveCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > NODE[0] || (major === NODE[0] && minor >= NODE[1]);
  return {
    name: 'node version',
    ok,
    found: ok ? version : `${version}; ${NODE.join('.')} or newer is needed`,
  };
}

/** The folder, or where it is not there yet the one it would be made in. */
function folderWritable(folder: string): LiveCheck {
  const name = 'journal folder';
  let nearest = folder;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    if (!statSync(nearest).isDirectory()) return { name, ok: false, found: `${nearest} is no folder` };
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return { name, ok: true, found: nearest === folder ? `${folder} is writable` : `${folder} can be made` };
  } catch {
    return { name, ok: false, found: `${nearest} is not writable: chown it to the user of the daemon` };
  }
}

function tokenFile(file: string | undefined): Promise<LiveCheck> {
  return check('token', async () => {
    if (file === undefined) return 'none named: the API is then for reading alone';
    readToken({ tokenFile: file }, {});
    return `${file} is readable by its owner alone`;
  });
}

async function check(name: string, look: () => Promise<string>): Promise<LiveCheck> {
  try {
    return { name, ok: true, found: await look() };
  } catch (error) {
    if (!(error instanceof ForesizeError)) throw error;
    return { name, ok: false, found: error.message.replace(/\s*\n\s*/g, '; ') };
  }
}

/** 9000000 as `9.0.0`. */
function versionText(version: number): string {
  return [Math.floor(version / 1e6), Math.floor(version / 1000) % 1000, version % 1000].join('.');
}
