import { describe, expect, test } from 'vitest';
import { CPU } from '../../../../core/model.ts';
import { failure, load, series } from '../temp.ts';

describe('vasim', () => {
  const csv =
    'TIMESTAMP,CPU_USAGE_ACTUAL\n2023.04.02-00:09:00:000,7.25\n2023.04.02-00:10:00:000,7\n2023.04.02-00:11:00:000,5\n';

  test('cores a minute, stamps in UTC; metadata beside it is let be', async () => {
    const trace = await load({ 'c_12104.csv': csv, 'c_12104.metadata.json': '{}' });
    expect(trace.format).toBe('vasim');
    // 00:09 lies in the interval of 00:05, 00:10 and 00:11 in the next.
    expect(trace.epochMs).toBe(Date.UTC(2023, 3, 2, 0, 5));
    expect(series(trace, 'c_12104', CPU)).toEqual([7.25, 6]);
    expect(trace.vms[0]!.size[CPU]).toBeNaN();
  });

  test('a shorter step holds a sample for its minute', async () => {
    expect(series(await load({ 'a.csv': csv }, { stepMs: 30_000 }), 'a', CPU)).toEqual([
      7.25, 7.25, 7, 7, 5, 5,
    ]);
  });

  test.each([
    ['2023.13.02-00:09:00:000', 'TRACE_BAD_TIMESTAMP'],
    ['2023.04.31-00:09:00:000', 'TRACE_BAD_TIMESTAMP'],
    ['2023.04.02-24:09:00:000', 'TRACE_BAD_TIMESTAMP'],
    ['2023-04-02 00:09:00', 'TRACE_BAD_TIMESTAMP'],
  ])('stamp %s', async (stamp, code) => {
    const error = await failure(load({ 'a.csv': `TIMESTAMP,CPU_USAGE_ACTUAL\n${stamp},1\n` }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/a\.csv:2/);
  });

  test('another header, another separator', async () => {
    const header = await failure(load({ 'a.csv': 'TIME,CPU_USAGE_ACTUAL\n1,1\n' }));
    expect(header.code).toBe('TRACE_BAD_HEADER');
    expect((await failure(load({ 'a.csv': csv.replaceAll(',', ';') }))).code).toBe('TRACE_BAD_SEPARATOR');
  });
});
