import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { energyBetween, JOULES_PER_KWH, POWER_TABLES, powerAt } from '../../../sim/cluster/power.ts';

const G4 = POWER_TABLES['hp-ml110-g4'];
const G5 = POWER_TABLES['hp-ml110-g5'];

describe('power', () => {
  it('gives the measured steps, and the line between them', () => {
    G4.forEach((watts, step) => {
      expect(powerAt(G4, step / 10)).toBeCloseTo(watts, 9);
    });
    // Between 40 % (99.5) and 50 % (102): 99.5 + 2.5 x 0.6 = 101.
    expect(powerAt(G4, 0.46)).toBeCloseTo(101, 9);
    expect(powerAt(G5, 1.2)).toBe(135);
  });

  it('400 G4 and 400 G5 at full load for a day take 2,419.2 kWh', () => {
    // 400 x 117 + 400 x 135 = 100,800 W; x 24 h.
    let joules = 0;
    for (let tick = 0; tick < 288; tick++) {
      for (let host = 0; host < 800; host++) joules += energyBetween(host % 2 === 0 ? G4 : G5, 1, 1, 300);
    }
    expect(joules / JOULES_PER_KWH).toBe(2419.2);
  });

  it('takes nothing for a host that was switched off, and the mean of both ends for the others', () => {
    expect(energyBetween(G5, 0, 0.5, 300)).toBe(0);
    expect(energyBetween(G5, 1, 0, 10)).toBeCloseTo(((135 + 93.7) / 2) * 10, 9);
  });

  it('never falls as the load rises', () => {
    const load = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(POWER_TABLES)), load, load, (table, a, b) => {
        expect(powerAt(table, Math.max(a, b))).toBeGreaterThanOrEqual(powerAt(table, Math.min(a, b)) - 1e-9);
      }),
    );
  });
});
