import type { Alarm } from '../core/anomaly/alarms.ts';
import type { TickRecord } from '../core/controller.ts';
import type { Alert } from '../core/ports.ts';
import type { CoreDriver } from './core-driver.ts';
import type { AnomalyView } from './operations.ts';

const KEPT = 500;

/** Anomalies that last and those that ended last, as they are told; lives through a restart with the core. */
export class AnomalyLog {
  #driver: CoreDriver | undefined;
  readonly #ended: AnomalyView[] = [];

  /** Watches a core from its first tick on. */
  follow(driver: CoreDriver): void {
    this.#driver = driver;
    this.#ended.length = 0;
    driver.observers.push((record) => this.#observe(driver, record));
  }

  #observe(driver: CoreDriver, { alarms }: TickRecord): void {
    for (const { change, alarm } of alarms) if (change === 'end') this.#ended.push(viewOf(alarm, driver));
    if (this.#ended.length > KEPT) this.#ended.splice(0, this.#ended.length - KEPT);
  }

  get views(): readonly AnomalyView[] {
    const driver = this.#driver;
    const open = driver?.controller.anomalies?.alarms.open ?? [];
    return [...this.#ended, ...open.map((alarm) => viewOf(alarm, driver!))];
  }
}

function viewOf(alarm: Alarm, { controller }: CoreDriver): AnomalyView {
  const at = (tick: number) => controller.epochMs + tick * controller.stepMs;
  const { id, vmId, applicationId, userId, severity, explanation, onsetTick, endTick } = alarm;
  const endedAt = endTick === undefined ? null : at(endTick);
  return { id, vmId, applicationId, userId, severity, explanation, beganAt: at(onsetTick), endedAt };
}

/** An alert in one sentence. */
export function sentenceOf({ change, severity, explanation, outcome }: Alert): string {
  const words = {
    onset: 'anomaly',
    graver: 'anomaly, graver now',
    end: `anomaly over (${outcome ?? 'ended'})`,
  };
  return `${words[change]} (${severity}): ${explanation}`;
}
