import { describe, expect, it } from 'vitest';
import { matchAlarms, type RaisedAlarm, type Truth } from '../../../sim/anomalies/matching.ts';
import { anomalyMeasures } from '../../../sim/anomalies/measures.ts';

const truth = (vmId: string, kind: Truth['kind'], first: number, last: number, scored = true): Truth => ({
  vmId,
  kind,
  first,
  last,
  scored,
});
const alarm = (vmId: string, raisedTick: number, neighbour = false): RaisedAlarm => ({
  vmId,
  raisedTick,
  resources: ['network'],
  neighbour,
});

describe('matchAlarms', () => {
  const truths = [truth('a', 'traffic-flood', 100, 102), truth('b', 'leak', 200, 343)];

  it('counts the first anomalous sample in the delay, and takes the first alarm', () => {
    // Raised at the first sample: 1 tick. The leak is raised at 229: 229 - 200 + 1 = 30, a second alarm adds nothing.
    const { verdicts, delays } = matchAlarms([alarm('a', 100), alarm('b', 229), alarm('b', 300)], truths, 12);
    expect(verdicts).toEqual(['true', 'true', 'true']);
    expect(delays).toEqual([1, 30]);
  });

  it('takes an alarm within the tolerance for a true one that found nothing', () => {
    // The flood ends with sample 102: 114 is 12 ticks after, 115 is 13.
    expect(matchAlarms([alarm('a', 114)], truths, 12)).toMatchObject({ verdicts: ['true'], delays: [0, 0] });
    expect(matchAlarms([alarm('a', 115)], truths, 12)).toMatchObject({ verdicts: ['false'], delays: [0, 0] });
  });

  it('calls an alarm before the onset, or of another VM, false', () => {
    expect(matchAlarms([alarm('a', 99), alarm('c', 101)], truths, 12).verdicts).toEqual(['false', 'false']);
  });

  it('excuses what is about a neighbour, or began before scoring', () => {
    const early = [truth('a', 'leak', 10, 20, false)];
    const { verdicts, truthOf } = matchAlarms([alarm('a', 15), alarm('b', 15, true)], early, 12);
    expect(verdicts).toEqual(['excused', 'excused']);
    expect(truthOf).toEqual([-1, -1]);
  });
});

describe('anomalyMeasures', () => {
  const line = (vmId: string, raised: number, resources: ('cpu' | 'network' | 'joint')[]) => ({
    vmId,
    applicationId: 'app',
    onset: raised,
    raised,
    end: raised + 5,
    severity: 'low' as const,
    resources,
    explanation: '',
    neighbour: false,
  });
  const responses = { raised: 0, isolated: 0, raisedVmTicks: 0, isolatedVmTicks: 0 };
  const about = { vmDays: 20, stepMs: 300_000, tolerance: 12 };

  it('has precision, recall, delay and false alarms, per kind and in all', () => {
    const truths = [
      truth('a', 'traffic-flood', 100, 102),
      truth('b', 'traffic-flood', 100, 102),
      truth('c', 'runaway-loop', 100, 135),
    ];
    const alarms = [
      line('a', 101, ['network']), // true, 2 ticks
      line('c', 109, ['cpu']), // true, 10 ticks
      line('d', 50, ['network']), // false, against the flood
      line('e', 60, ['joint']), // false, against either
    ];
    const m = anomalyMeasures(alarms, truths, responses, about);
    // 2 of 3 found; 2 of 4 alarms true; 2 false alarms in 20 VM-days; delays 2 and 10: nearest ranks 2 and 10.
    expect(m.total).toEqual({
      injected: 3,
      found: 2,
      recall: 2 / 3,
      trueAlarms: 2,
      falseAlarms: 2,
      precision: 0.5,
      falseAlarmsPerVmDay: 0.1,
      delay: { medianTicks: 2, p90Ticks: 10, medianMinutes: 10, p90Minutes: 50 },
    });
    // The flood: 1 of 2 found, 1 true alarm against 2 false ones. The loop: 1 of 1, 1 true against the joint one.
    expect(m.kinds['traffic-flood']).toMatchObject({ recall: 0.5, precision: 1 / 3 });
    expect(m.kinds['runaway-loop']).toMatchObject({ recall: 1, precision: 0.5 });
    expect(m.kinds.leak).toBeUndefined();
    expect(m.truths.map(({ delay }) => delay)).toEqual([2, null, 10]);
  });

  it('has false alarms only, where nothing was injected', () => {
    const m = anomalyMeasures([line('a', 101, ['network'])], [], responses, about);
    expect(m.total).toMatchObject({ recall: null, precision: null, delay: null, falseAlarmsPerVmDay: 0.05 });
    expect(m.kinds).toEqual({});
  });
});
