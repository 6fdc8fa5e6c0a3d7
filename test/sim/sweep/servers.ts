import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectQueue } from '../../../sim/sweep/queue/connection.ts';

/** A real server on a free port, its data in a temporary folder, run by nobody in particular. */
export interface Server {
  readonly url: string;
  start(): Promise<void>;
  /** SIGKILL: what it held in memory is gone. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

/** PostgreSQL refuses root, and nothing here needs it. */
const NOBODY = 65_534;
const AS = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

const redisServer = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));
const postgresBin = existsSync('/usr/lib/postgresql')
  ? readdirSync('/usr/lib/postgresql')
      .map((version) => join('/usr/lib/postgresql', version, 'bin'))
      .find((path) => existsSync(join(path, 'postgres')))
  : undefined;

export const SERVERS: readonly {
  readonly name: string;
  readonly present: boolean;
  readonly create: () => Promise<Server>;
}[] = [
  { name: 'Redis', present: redisServer !== undefined, create: redis },
  { name: 'PostgreSQL', present: postgresBin !== undefined, create: postgres },
];

async function redis(): Promise<Server> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return server(`redis://127.0.0.1:${port}`, (data) =>
    spawn(redisServer!, [...args, '--dir', data], options()),
  );
}

async function postgres(): Promise<Server> {
  const port = await freePort();
  let made = false;
  return server(`postgresql://foresize@127.0.0.1:${port}/postgres`, (data) => {
    const folder = join(data, 'db');
    if (!made) {
      const init = spawnSync(
        join(postgresBin!, 'initdb'),
        ['-D', folder, '-U', 'foresize', '-A', 'trust'],
        options(),
      );
      if (init.status !== 0) throw new Error('initdb failed');
      made = true;
    }
    const args = ['-D', folder, '-p', String(port), '-c', `unix_socket_directories=${data}`];
    return spawn(
      join(postgresBin!, 'postgres'),
      [...args, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'],
      options(),
    );
  });
}

function options() {
  return { ...AS, stdio: 'ignore', cwd: '/' } as const;
}

function server(url: string, launch: (data: string) => ChildProcess): Server {
  const data = mkdtempSync(join(tmpdir(), 'foresize-server-'));
  chmodSync(data, 0o700);
  if (AS.uid !== undefined) chownSync(data, NOBODY, NOBODY);
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  return {
    url,
    async start() {
      if (child) return;
      child = launch(data);
      for (let tries = 0; ; tries++) {
        try {
          await (await connectQueue(url)).close();
          return;
        } catch (error) {
          if (tries > 200) throw error;
          await sleep(100);
        }
      }
    },
    kill,
    async remove() {
      await kill();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
