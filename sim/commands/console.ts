import { MultiBar, Presets } from 'cli-progress';

/** Options every verb has. */
export const commonOptions = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON on stdout.' },
  quiet: { type: 'boolean', default: false, describe: 'No progress and no remarks on stderr.' },
} as const;

export const scenarioOptions = {
  ...commonOptions,
  set: {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Override a field: --set a.b=c (repeatable).',
  },
  seed: { type: 'number', describe: "Override the scenario's seed." },
  out: { type: 'string', default: 'out', describe: 'Folder for run files and reports.' },
} as const;

/** `--set` overrides with `--seed` as one more. */
export function overrides(args: { set: readonly string[]; seed?: number | undefined }): string[] {
  return args.seed === undefined ? [...args.set] : [...args.set, `seed=${args.seed}`];
}

/** Data for the user or the next program: stdout. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** A remark: stderr, unless quiet. */
export function remark(text: string, quiet: boolean): void {
  if (!quiet) process.stderr.write(`${text}\n`);
}

/** Progress bars on stderr while it is a terminal; otherwise silent. */
export class Bars {
  readonly #multi: MultiBar | undefined;

  constructor(quiet: boolean) {
    if (!quiet && process.stderr.isTTY) {
      this.#multi = new MultiBar(
        {
          stream: process.stderr,
          clearOnComplete: true,
          hideCursor: true,
          format: '{name} {bar} {percentage} % | {eta_formatted} left',
          barsize: 30,
          autopadding: true,
        },
        Presets.shades_classic,
      );
    }
  }

  /** Adds a bar and returns the function that moves it. */
  add(name: string): (done: number, total: number) => void {
    if (!this.#multi) return () => {};
    const bar = this.#multi.create(100, 0, { name: name.padEnd(20).slice(0, 20) });
    return (done, total) => {
      bar.setTotal(total);
      bar.update(done);
    };
  }

  stop(): void {
    this.#multi?.stop();
  }
}

/** Aborts on Ctrl-C; call `release` when done. */
export function interruptible(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGINT', stop);
  return { signal: controller.signal, release: () => process.removeListener('SIGINT', stop) };
}
