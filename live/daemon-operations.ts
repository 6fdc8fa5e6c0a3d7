import { setResourceAllocationPolicy } from '../core/api.ts';
import type { Controller } from '../core/controller.ts';
import { EXIT, ForesizeError } from '../core/errors.ts';
import type { Resource } from '../core/model.ts';
import { AdviceFile } from './advice-file.ts';
import type { Daemon } from './daemon.ts';
import type {
  AnomalyView,
  DaemonStatus,
  Operations,
  OperationsEvent,
  RecommendationView,
  StageView,
  VmTrack,
} from './operations.ts';

/** The daemon as its API and its dashboard see it. */
export class DaemonOperations implements Operations {
  readonly #daemon: Daemon;
  readonly #advice: AdviceFile;

  /** @param dir folder of the journal, beside which advice lies */
  constructor(daemon: Daemon, dir: string) {
    this.#daemon = daemon;
    this.#advice = new AdviceFile(dir, (text) => daemon.book.event({ kind: 'problem', text }));
  }

  get controller(): Controller {
    return this.#daemon.session.driver.controller;
  }

  status(): DaemonStatus {
    const { setup, session, book, times, startedAt } = this.#daemon;
    const { driver, start } = session;
    const { name, since, bundle } = this.stage();
    return {
      mode: setup.apply ? 'apply' : 'dry-run',
      startedAt,
      uri: setup.plant.uri,
      connected: setup.plant.connected,
      tick: times.tick,
      tickAt: times.at,
      stepMs: start.stepMs,
      decideMs: times.decideMs,
      tickMs: times.tickMs,
      sampleMs: times.sampleMs,
      overruns: times.late,
      vms: driver.fleet.size,
      frozen: driver.last?.frozen ?? 0,
      killSwitch: book.ledger.killSwitch,
      stage: { name, since, bundle: bundle?.id ?? null },
      resizes: { ...book.ledger.resizes },
    };
  }

  track(vmId: string, resource: Resource, ticks: number): VmTrack {
    const track = this.#daemon.tracks.track(this.#daemon.session.driver, vmId, resource, ticks);
    if (track) return track;
    throw new ForesizeError({
      code: 'VM_UNKNOWN',
      what: `no VM '${vmId}' is here`,
      remedy: 'see the list of VMs; a VM comes with the tick after it was tagged or started',
    });
  }

  /** Those that last, and those that ended last. */
  anomalies(): readonly AnomalyView[] {
    return this.#daemon.anomalies.views;
  }

  /** What `foresize recommend JOURNAL` found last. */
  recommendations(): readonly RecommendationView[] {
    const { answers } = this.#daemon.book.ledger;
    return this.#advice.views.map((one) => ({ ...one, state: answers.get(one.id) ?? 'open' }));
  }

  /** Without a bundle there are no stages: it acts everywhere, or nowhere. */
  stage(): StageView {
    const { promotion, setup, startedAt, session } = this.#daemon;
    if (promotion) return promotion.view;
    const [name, inScope] = setup.apply
      ? (['all', session.driver.fleet.size] as const)
      : (['shadow', 0] as const);
    return { name, since: startedAt, checks: [], bundle: null, inScope };
  }

  events(after: number, limit: number): readonly OperationsEvent[] {
    const later = this.#daemon.book.ledger.events.filter(({ seq }) => seq > after);
    return limit > 0 ? later.slice(-limit) : [];
  }

  subscribe(listener: (event: OperationsEvent) => void): () => void {
    return this.#daemon.book.subscribe(listener);
  }

  async setPolicy(applicationId: string, policyName: string, by: string): Promise<void> {
    const { book, setup } = this.#daemon;
    await this.#daemon.betweenTicks();
    const before = this.controller.policyOf(applicationId);
    // In memory first, to find out whether it is possible; and back if it cannot be written down.
    setResourceAllocationPolicy(this.controller, applicationId, policyName);
    try {
      book.append({ kind: 'policy', at: setup.clock.now(), applicationId, policy: policyName, by });
    } catch (error) {
      this.controller.setPolicy(applicationId, before);
      throw error;
    }
    book.event({ kind: 'policy', text: `${applicationId}: ${before} -> ${policyName}, by ${by}` });
  }

  async engageKillSwitch(reason: string, restore: boolean, by: string): Promise<void> {
    const { book, setup } = this.#daemon;
    book.append({ kind: 'kill-switch', at: setup.clock.now(), engaged: true, reason, by });
    book.event({ kind: 'kill-switch', text: `engaged by ${by}: ${reason}` });
    if (restore) await this.#daemon.restoreAll(`the kill switch was engaged by ${by}`);
  }

  async releaseKillSwitch(by: string): Promise<void> {
    const { book, setup } = this.#daemon;
    book.append({ kind: 'kill-switch', at: setup.clock.now(), engaged: false, reason: '', by });
    book.event({ kind: 'kill-switch', text: `released by ${by}` });
  }

  async advanceStage(by: string): Promise<void> {
    if (!this.#daemon.promotion) throw noBundle();
    await this.#daemon.advanceStage(by);
  }

  async rollBack(reason: string, by: string): Promise<void> {
    if (!this.#daemon.promotion) throw noBundle();
    await this.#daemon.rollBack(reason, by);
  }

  async answerRecommendation(
    id: string,
    answer: 'accepted' | 'dismissed',
    by: string,
    note: string,
  ): Promise<void> {
    const { book, setup } = this.#daemon;
    if (!this.recommendations().some((one) => one.id === id)) {
      throw new ForesizeError({
        code: 'RECOMMENDATION_UNKNOWN',
        what: `there is no recommendation '${id}'`,
        remedy: 'read the list again',
      });
    }
    book.append({ kind: 'answer', at: setup.clock.now(), id, answer, by, note });
    book.event({ kind: 'recommendation', text: `${id} was ${answer} by ${by}${note ? `: ${note}` : ''}` });
  }
}

function noBundle(): ForesizeError {
  return new ForesizeError(
    {
      code: 'STAGE_NO_BUNDLE',
      what: 'the daemon runs without a promoted bundle, and so without stages',
      remedy: 'promote one with `foresize promote`, and start with it; the kill switch stops all resizing',
    },
    EXIT.refused,
  );
}
