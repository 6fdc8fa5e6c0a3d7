import { Presets, SingleBar } from 'cli-progress';
import type { SweepProgress } from '../sweep/run-sweep.ts';
import { spanText } from '../sweep/text.ts';

const LINE_EVERY_MS = 30_000;

/** Progress of a sweep on stderr: a bar on a terminal, a line every half minute in a log. */
export class SweepBar {
  readonly #quiet: boolean;
  #bar: SingleBar | undefined;
  #said = performance.now();

  constructor(quiet: boolean) {
    this.#quiet = quiet;
    if (quiet || !process.stderr.isTTY) return;
    this.#bar = new SingleBar(
      {
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: true,
        format: '{bar} {value}/{total} | {rate} | {left} left{failed}',
        barsize: 30,
      },
      Presets.shades_classic,
    );
    this.#bar.start(1, 0, { rate: '', left: '', failed: '' });
  }

  show(progress: SweepProgress): void {
    const { done, total, failed, rate, remaining } = progress;
    const shown = {
      rate: rateText(rate),
      left: remaining === undefined ? '?' : spanText(remaining),
      failed: failed === 0 ? '' : ` | ${failed} failed`,
    };
    if (this.#bar) {
      this.#bar.setTotal(total);
      this.#bar.update(done, shown);
      return;
    }
    if (this.#quiet || performance.now() - this.#said < LINE_EVERY_MS) return;
    this.#said = performance.now();
    process.stderr.write(`${done}/${total} | ${shown.rate} | ${shown.left} left${shown.failed}\n`);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

function rateText(rate: number): string {
  if (rate === 0) return 'starting';
  return rate >= 1 ? `${rate.toPrecision(3)} runs/s` : `${(rate * 60).toPrecision(3)} runs/min`;
}
