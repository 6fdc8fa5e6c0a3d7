import { AnomalyDetector } from '../../core/anomaly/detector.ts';
import { anomalyParams } from '../../core/anomaly/params.ts';
import { Fleet } from '../../core/fleet.ts';
import { CPU, Frame } from '../../core/model.ts';
import type { NabSeries } from './corpus.ts';

/**
 * Runs the detector of the control loop over one series, a row a tick, as the only resource of one VM: with its default
 * setting, without a forecaster, and without sight of later rows, of the series' length or of its range.
 * @returns the anomaly score of each row, 0..1: 0 where nothing is new
 */
export function detect(series: NabSeries): Float64Array {
  const fleet = new Fleet();
  const frame = fleet.register(new Frame());
  const detector = fleet.register(new AnomalyDetector(fleet, anomalyParams.parse({})));
  const slot = fleet.admit(
    {
      vmId: series.name,
      applicationId: 'nab',
      userId: 'nab',
      requested: [0, 0, 0, 0],
      min: [0, 0, 0, 0],
      max: [0, 0, 0, 0],
    },
    0,
  );
  const scores = new Float64Array(series.values.length);
  for (let tick = 0; tick < scores.length; tick++) {
    frame.tick = tick;
    frame.at = series.timestamps[tick]!;
    frame.usage[CPU] = series.values[tick]!;
    detector.observe(frame);
    scores[tick] = detector.news[slot]!;
  }
  return scores;
}
