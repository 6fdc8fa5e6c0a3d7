import { describe, expect, test } from 'vitest';
import { CPU, MEMORY } from '../../../../core/model.ts';
import { failure, load, series } from '../temp.ts';

describe('google2011', () => {
  test('CPU and memory in % a line, a job an application', async () => {
    const trace = await load({ vm_4923180614_3: '18.207 14.037499999999998\n17.98 14.0672\n' });
    expect(trace.format).toBe('google2011');
    expect(trace.vms[0]!.applicationId).toBe('job_4923180614');
    expect(series(trace, 'vm_4923180614_3', CPU)[0]).toBeCloseTo(0.18207, 6);
    expect(series(trace, 'vm_4923180614_3', CPU)[1]).toBeCloseTo(0.1798, 6);
    // 14.0672 % of the 4096 MiB assumed.
    expect(series(trace, 'vm_4923180614_3', MEMORY)[1]).toBeCloseTo(576.19, 2);
    expect(trace.report.notes).toHaveLength(2);
  });

  test('commas for spaces', async () => {
    expect((await failure(load({ vm_1_1: '18.2,14\n' }))).code).toBe('TRACE_BAD_SEPARATOR');
  });
});

/** A row as Google publishes it: 64-bit integers as strings, every field of InstanceUsage. */
function published(
  start: number,
  end: number,
  collection: string,
  index: string,
  cpus: number,
  memory: number,
) {
  return JSON.stringify({
    start_time: String(start),
    end_time: String(end),
    collection_id: collection,
    instance_index: index,
    machine_id: '23624491139',
    alloc_collection_id: '330587160469',
    alloc_instance_index: '111',
    collection_type: '0',
    average_usage: { cpus, memory },
    maximum_usage: { cpus: 0.04791259765625, memory: 0.019378662109375 },
    random_sample_usage: { cpus: 0.016632080078125 },
    assigned_memory: 0.03125,
    page_cache_memory: 0.0032196044921875,
    cycles_per_instruction: 0.89924430847167969,
    memory_accesses_per_instruction: 0.00151212012860924,
    sample_rate: 0.996666669845581,
    cpu_usage_distribution: [
      0.00047, 0.00068, 0.00075, 0.00083, 0.00096, 0.0084, 0.0088, 0.0133, 0.0164, 0.0219, 0.0477,
    ],
    tail_cpu_usage_distribution: [0.0223, 0.0236, 0.0242, 0.0253, 0.0254, 0.0255, 0.0266, 0.0277, 0.0288],
  });
}

describe('google2019', () => {
  // Windows in microseconds: 1,838,400 s is a multiple of 300 s.
  const US = 1_000_000;
  const T = 1_838_400 * US;
  const rows = [
    published(T, T + 300 * US, '330587238433', '111', 0.0078125, 0.015625),
    published(T + 300 * US, T + 450 * US, '330587238433', '111', 0.015625, 0.015625),
    published(T + 450 * US, T + 600 * US, '330587238433', '111', 0.03125, 0.015625),
    published(T, T + 300 * US, '330587238433', '2', 0.5, 0.25),
  ];

  test('JSON lines as downloaded: an instance a VM, a collection an application', async () => {
    const trace = await load({ 'instance_usage-000000000000.json.gz': rows.join('\n') });
    expect(trace.format).toBe('google2019');
    expect(trace.epochMs).toBe(1_838_400_000);
    expect(trace.vms.map((vm) => [vm.vmId, vm.applicationId])).toEqual([
      ['330587238433-111', '330587238433'],
      ['330587238433-2', '330587238433'],
    ]);
    // The largest machine is assumed to have 64 cores: 0.0078125 x 64 = 0.5; then half at 1, half at 2 cores.
    expect(series(trace, '330587238433-111', CPU)).toEqual([0.5, 1.5]);
    // 0.015625 x 262144 MiB = 4096; assigned 0.03125 = 8192.
    expect(series(trace, '330587238433-111', MEMORY)).toEqual([4096, 4096]);
    expect(trace.vms[0]!.size).toEqual([Number.NaN, 8192, Number.NaN, Number.NaN]);
    expect(trace.report.notes).toEqual([
      'cpu: the largest machine, to which the trace is normalised, assumed to be 64 cores',
      'memory: the largest machine, to which the trace is normalised, assumed to be 262,144 MiB',
    ]);
  });

  test('the maxima, and another machine', async () => {
    const trace = await load(
      { 'instance_usage-000000000000.json': rows[0]! },
      { statistic: 'max', assume: { cores: 100 } },
    );
    expect(series(trace, '330587238433-111', CPU)).toEqual([Math.fround(4.791259765625)]);
  });

  test('the same as CSV, nested names flattened either way', async () => {
    for (const dot of ['.', '_']) {
      const csv =
        `start_time,end_time,collection_id,instance_index,machine_id,average_usage${dot}cpus,average_usage${dot}memory,` +
        `maximum_usage${dot}cpus,assigned_memory,cpu_usage_distribution\n` +
        `${T},${T + 300 * US},330587238433,111,23624491139,0.0078125,0.015625,0.04,0.03125,"[0.1, 0.2]"\n`;
      const trace = await load({ 'instance_usage.csv.gz': csv });
      expect(trace.format).toBe('google2019');
      expect(series(trace, '330587238433-111', CPU)).toEqual([0.5]);
      expect(trace.vms[0]!.size[MEMORY]).toBe(8192);
    }
  });

  test('a field that is not set is missing and counted; a wrong one is an error at its line', async () => {
    const bare =
      '{"start_time":"0","end_time":"300000000","collection_id":"1","instance_index":"0","average_usage":{"cpus":0.5}}';
    const trace = await load({ 'instance_usage-0.json': bare });
    expect(trace.has).toEqual([true, false, false, false]);
    expect(trace.report.invalid).toBe(1);

    const file = (line: string) => load({ 'instance_usage-0.json': `${bare}\n${line}` });
    for (const [line, code] of [
      [bare.replace('0.5', '"much"'), 'TRACE_BAD_NUMBER'],
      [bare.replace('0.5', '-0.5'), 'TRACE_NEGATIVE'],
      [bare.replace('"300000000"', '"soon"'), 'TRACE_BAD_TIMESTAMP'],
      [bare.replace('"0","end', '"400000000","end'), 'TRACE_BAD_TIMESTAMP'],
      [bare.replace('"collection_id":"1",', ''), 'TRACE_BAD_ID'],
      [bare.slice(0, 40), 'TRACE_BAD_ROW'],
      ['null', 'TRACE_BAD_ROW'],
    ] as const) {
      const error = await failure(file(line));
      expect(error.code, line).toBe(code);
      expect(error.message).toMatch(/instance_usage-0\.json:2/);
    }
  });
});
