import { expect, test } from 'vitest';
import { z } from 'zod';
import { lstmHistory, lstmParams, ticksOf } from '../../../../core/forecast/lstm/params.ts';

test('an empty setting is the shared one', () => {
  expect(lstmParams.parse({})).toMatchObject({ horizon: 12, window: 24, hidden: 32, retrainEvery: '1d' });
});

test('unknown and impossible parameters are refused', () => {
  for (const bad of [
    { hiden: 32 },
    { hidden: 12 },
    { retrainEvery: 'daily' },
    { horizon: 0 },
    { retrainEvery: '0h' },
  ]) {
    expect(lstmParams.safeParse(bad).success).toBe(false);
  }
});

test('every parameter has a description in the JSON Schema', () => {
  const { properties } = z.toJSONSchema(lstmParams, { io: 'input' });
  for (const [name, schema] of Object.entries(properties!)) {
    expect((schema as { description?: string }).description, name).toBeTruthy();
  }
});

test('durations are whole ticks, at least one', () => {
  expect([ticksOf('1d', 300_000), ticksOf('1h', 300_000), ticksOf('1m', 300_000)]).toEqual([288, 12, 1]);
});

test('the history asked for is the training window, three days before it, a window and two horizons', () => {
  expect(lstmHistory(lstmParams.parse({}), 300_000)).toBe(2016 + 3 * 288 + 24 + 24);
});
