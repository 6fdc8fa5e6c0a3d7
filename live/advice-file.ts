import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { evidenceOf, riskOf } from '../core/cost/describe.ts';
import type { Advice } from '../core/cost/recommendation.ts';
import type { RecommendationView } from './operations.ts';

type Unanswered = Omit<RecommendationView, 'state'>;

/** What `foresize recommend JOURNAL` wrote beside the journal, read again when it changes. */
export class AdviceFile {
  readonly #file: string;
  readonly #onProblem: (text: string) => void;
  #stamp = '';
  #views: readonly Unanswered[] = [];

  constructor(dir: string, onProblem: (text: string) => void) {
    this.#file = join(dir, 'advice.json');
    this.#onProblem = onProblem;
  }

  /** None where there is no file. One that does not read is told of once, and counts as none. */
  get views(): readonly Unanswered[] {
    const stat = statSync(this.#file, { throwIfNoEntry: false });
    const stamp = stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : '';
    if (stamp === this.#stamp) return this.#views;
    this.#stamp = stamp;
    this.#views = [];
    if (!stat) return this.#views;
    try {
      this.#views = viewsOf(JSON.parse(readFileSync(this.#file, 'utf8')) as Advice);
    } catch (error) {
      this.#onProblem(`${this.#file} is no advice: ${(error as Error).message}`);
    }
    return this.#views;
  }
}

function viewsOf(advice: Advice): Unanswered[] {
  if (advice.schema !== 'foresize/advice/v1') throw new Error('it has another format');
  return advice.recommendations.flatMap((one): Unanswered[] => {
    const { saving } = one.effect;
    if (!saving) return [];
    const { id, kind, subject, reason } = one;
    const { value: perMonth, low, high } = saving;
    return [
      {
        id,
        kind,
        subject,
        reason,
        saving: { perMonth, low, high, currency: advice.currency },
        risk: riskOf(one),
        evidence: evidenceOf(one, advice),
      },
    ];
  });
}
