import type { z } from 'zod';
import { Fleet } from '../../../../core/fleet.ts';
import { createLstm, type LstmForecaster } from '../../../../core/forecast/lstm/lstm.ts';
import { lstmHistory, lstmParams } from '../../../../core/forecast/lstm/params.ts';
import type { FitReport } from '../../../../core/forecast/lstm/training.ts';
import { ForecastBatch } from '../../../../core/forecast/types.ts';
import { History } from '../../../../core/history.ts';
import { Frame, R } from '../../../../core/model.ts';

export const STEP_MS = 300_000;
export const DAY = 288;
export const EPOCH_MS = Date.UTC(2024, 0, 1);

/** Usage of a VM and resource at a tick; NaN where no sample comes. */
export type Usage = (vm: number, resource: number, tick: number) => number;

export const isGlobal = (fit: FitReport): boolean => fit.applicationId === undefined;

/** A fleet under the real forecaster, fed tick by tick. */
export interface Replay {
  readonly fleet: Fleet;
  readonly forecaster: LstmForecaster;
  readonly fits: FitReport[];
  /** Observes ticks up to, not including, `to`. */
  run(to: number): void;
  paths(horizon: number, quantiles: readonly number[]): ForecastBatch;
}

export async function replay(
  vms: number,
  usage: Usage,
  params: z.input<typeof lstmParams> = {},
  seed = 1,
): Promise<Replay> {
  const fleet = new Fleet();
  const frame = fleet.register(new Frame());
  const parsed = lstmParams.parse(params);
  const history = new History(fleet, lstmHistory(parsed, STEP_MS));
  const fits: FitReport[] = [];
  const context = { fleet, history, stepMs: STEP_MS, epochMs: EPOCH_MS, seed };
  const forecaster = await createLstm(parsed, context, (fit) => fits.push(fit));
  fleet.register(forecaster);
  for (let vm = 0; vm < vms; vm++) {
    const requested = [4, 8192, 1e8, 1e8] as const;
    const min = [0.1, 256, 0, 0] as const;
    fleet.admit(
      { vmId: `vm${vm}`, applicationId: `app${vm % 3}`, userId: 'u', requested, min, max: requested },
      0,
    );
  }
  let tick = 0;
  return {
    fleet,
    forecaster,
    fits,
    run(to) {
      for (; tick < to; tick++) {
        frame.tick = tick;
        frame.at = EPOCH_MS + tick * STEP_MS;
        for (const slot of fleet.slots) {
          for (let r = 0; r < R; r++) frame.usage[slot * R + r] = usage(slot, r, tick);
        }
        history.append(frame);
        forecaster.observe(frame);
      }
    },
    paths(horizon, quantiles) {
      const batch = new ForecastBatch(fleet.size, horizon, quantiles);
      forecaster.predict(fleet.slots, batch);
      return batch;
    },
  };
}
