import { describe, expect, test } from 'vitest';
import { CPU } from '../../../../core/model.ts';
import { sliceOf } from '../../../../sim/trace/formats/planetlab-names.ts';
import { failure, load, series } from '../temp.ts';

const MINUTES_5 = 300_000;

describe('planetlab', () => {
  test('a line is an interval of 300 s, in % of one core unless told otherwise', async () => {
    const files = { '20110303/a': '24\n34\n0\n', '20110303/b': '50\n99' };
    const trace = await load(files, { file: '20110303' });
    expect(trace.format).toBe('planetlab');
    expect(trace.epochMs).toBe(Date.UTC(2011, 2, 3));
    expect(trace.has).toEqual([true, false, false, false]);
    expect(series(trace, 'a', CPU)).toEqual([0.24, 0.34, 0].map(Math.fround));
    expect(series(trace, 'b', CPU)).toEqual([0.5, 0.99].map(Math.fround));
    expect(trace.vms[0]!.size).toEqual([1, Number.NaN, Number.NaN, Number.NaN]);
    expect(trace.report).toMatchObject({ files: 2, rows: 5, gaps: 0, invalid: 0 });
    expect(trace.report.notes).toEqual([
      'cpu: full use assumed to be 1 core for 2 VMs, whose size the trace does not state',
    ]);

    const larger = await load(files, { file: '20110303', assume: { cores: 4 } });
    expect(series(larger, 'a', CPU)).toEqual([0.96, 1.36, 0].map(Math.fround));
    expect(larger.vms[0]!.size[CPU]).toBe(4);
  });

  test('a blank line inside is an interval not measured, blank lines at the end are nothing', async () => {
    const trace = await load({ a: '10\n\n30\n\n\n' });
    expect(series(trace, 'a', CPU)).toEqual([0.1, Number.NaN, 0.3].map(Math.fround));
    expect(trace.report).toMatchObject({ rows: 2, gaps: 1, invalid: 1 });
    expect(trace.report.examples[0]).toMatch(/a:2: the line is blank/);
  });

  test('at a shorter step a sample holds for its 300 s, at a longer one samples are averaged', async () => {
    const fine = await load({ a: '10\n20\n' }, { stepMs: 100_000 });
    expect(series(fine, 'a', CPU)).toEqual([0.1, 0.1, 0.1, 0.2, 0.2, 0.2].map(Math.fround));
    const coarse = await load({ a: '10\n20\n60\n' }, { stepMs: 2 * MINUTES_5 });
    expect(series(coarse, 'a', CPU)).toEqual([0.15, 0.6].map(Math.fround));
  });

  test('zipped files count as well, but not a VM twice', async () => {
    expect((await load({ 'a.gz': '10\n', b: '20\n' })).vms.map((vm) => vm.vmId)).toEqual(['a', 'b']);
    expect((await failure(load({ 'a.gz': '10\n', a: '20\n' }))).code).toBe('TRACE_DUPLICATE_VM');
  });

  test('the slice is the application, its site the user', async () => {
    const names = ['planetlab1_cs_unc_edu_umn_net_tools', 'planetlab1_byu_edu_tum_i2p', 'ait05_us_es_root'];
    const trace = await load(Object.fromEntries(names.map((name) => [name, '1\n'])));
    expect(trace.vms.map((vm) => [vm.vmId, vm.applicationId, vm.userId])).toEqual([
      ['ait05_us_es_root', 'root', 'root'],
      ['planetlab1_byu_edu_tum_i2p', 'tum_i2p', 'tum'],
      ['planetlab1_cs_unc_edu_umn_net_tools', 'umn_net_tools', 'umn'],
    ]);
  });
});

test.each([
  ['planet2_cc_gt_atl_ga_us_nyu_d', 'nyu_d'],
  ['pl1_6test_edu_cn_usf_mobius_dm', 'usf_mobius_dm'],
  ['planetlab1_singaren_net_sg_umn_net_tools', 'umn_net_tools'],
  ['aladdin_planetlab_extranet_uni-passau_de_ rnp_dcc_ufjf', 'rnp_dcc_ufjf'],
  ['cs-planetlab4_cs_surrey_sfu_ca_upmc_ts', 'upmc_ts'],
  ['planet-lab1_ufabc_edu_br_ufabc_MarceloSlice', 'ufabc_MarceloSlice'],
  ['nonsense', undefined],
])('slice of %s', (name, slice) => {
  // `nyu_d` is on another node too: what most names share wins.
  const names = [name, 'planetlab1_byu_edu_nyu_d'];
  expect(sliceOf(names)(name)).toBe(slice);
});
