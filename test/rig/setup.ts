import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

/** What tests may use of the rig; see start.sh. */
export interface Rig {
  /** Connection URI of its libvirtd; empty if it does not run. */
  readonly uri: string;
  readonly dir: string;
  /** Why it does not run. */
  readonly skipped: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    rig: Rig;
  }
}

const CANNOT_RUN = 77;
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Builds, since Workers run what is built, and boots the rig if FORESIZE_RIG=1 asks for it. A rig that was
 * started by hand is used and left running.
 */
export default function setup(project: TestProject): () => void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  const dir = process.env['FORESIZE_RIG_DIR'] ?? '/tmp/foresize-rig';
  const skip = (why: string): (() => void) => {
    console.log(`rig: SKIPPED: ${why}`);
    project.provide('rig', { uri: '', dir, skipped: why });
    return () => {};
  };
  if (process.env['FORESIZE_RIG'] !== '1') return skip('FORESIZE_RIG=1 is not set');
  const running = existsSync(`${dir}/libvirtd.pid`);
  const { status, stderr } = spawnSync('sh', [script('start.sh')], { stdio: ['ignore', 'inherit', 'pipe'] });
  const said = stderr?.toString().trim() ?? '';
  if (status === CANNOT_RUN) return skip(said.replace(/^.*SKIPPED: /s, ''));
  if (status !== 0) throw new Error(`the rig did not start: ${said}`);
  project.provide('rig', {
    uri: `qemu+unix:///system?socket=${dir}/run/libvirt-sock`,
    dir,
    skipped: '',
  });
  return () => {
    if (!running) execFileSync('sh', [script('stop.sh'), '--keep'], { stdio: 'inherit' });
  };
}
