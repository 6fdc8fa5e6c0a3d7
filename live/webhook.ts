import { ConstantBackoff, handleAll, retry } from 'cockatiel';
import type { Alert } from '../core/ports.ts';

const TIMEOUT_MS = 5000;
const RETRIES = 3;
const PAUSE_MS = 2000;
/** Alerts that wait for a receiver; beyond that the oldest are dropped. */
const MOST_WAITING = 200;

/** Posts alerts to a URL, one after the other, apart from the ticks. */
export class Webhook {
  readonly #url: string;
  readonly #onProblem: (text: string) => void;
  readonly #end = new AbortController();
  readonly #waiting: Alert[] = [];
  readonly #retry: ReturnType<typeof retry>;
  #working: Promise<void> | undefined;
  /** Told of once, until one comes through again. */
  #failing = false;

  constructor(url: string, onProblem: (text: string) => void, pauseMs = PAUSE_MS) {
    this.#url = url;
    this.#onProblem = onProblem;
    this.#retry = retry(handleAll, { maxAttempts: RETRIES, backoff: new ConstantBackoff(pauseMs) });
  }

  push(alert: Alert): void {
    this.#waiting.push(alert);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    for (let alert = this.#waiting.shift(); alert; alert = this.#waiting.shift()) {
      const body = JSON.stringify(alert);
      try {
        await this.#retry.execute(() => this.#post(body), this.#end.signal);
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) this.#onProblem(`${this.#url} does not take alarms: ${(error as Error).message}`);
        this.#failing = true;
      }
    }
  }

  async #post(body: string): Promise<void> {
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(this.#url, { method: 'POST', headers, body, signal, redirect: 'error' });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it answers ${response.status}`);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** Gives up what waits. */
  close(): void {
    this.#waiting.length = 0;
    this.#end.abort();
  }
}
