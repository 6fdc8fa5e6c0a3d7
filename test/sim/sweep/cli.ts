import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `foresize` as a process of its own. */
export class Foresize {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;

  constructor(args: readonly string[], options: { cwd: string; env?: Record<string, string> }) {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    this.finished = new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  }

  /** Waits until its stderr holds a match. */
  said(pattern: RegExp): Promise<RegExpMatchArray> {
    let text = '';
    return new Promise((resolve, reject) => {
      this.process.stderr!.on('data', (data) => {
        const match = (text += data).match(pattern);
        if (match) resolve(match);
      });
      void this.finished.then(({ stderr }) => reject(new Error(stderr)));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}

export function foresize(args: readonly string[], cwd: string): Promise<Finished> {
  return new Foresize(args, { cwd }).finished;
}
