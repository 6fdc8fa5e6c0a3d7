import { CPU } from '../../../core/model.ts';
import { FIVE_MINUTES, SMALL_VM, type TraceReader } from '../reader.ts';
import { breathe, filesByVm, readIndexed } from './indexed.ts';
import { sliceOf } from './planetlab-names.ts';

/**
 * PlanetLab/CoMon as published by Beloglazov and Buyya (CCPE 2012): a folder a day, a file a VM, a line an
 * interval of 300 s, each an integer: CPU in % of the VM's capacity.
 */
export const planetlab: TraceReader = {
  format: 'planetlab',
  about: 'PlanetLab day: a folder of files, one integer CPU % a line, 300 s',
  has: [true, false, false, false],
  sample: FIVE_MINUTES,
  hasMax: false,
  assume: SMALL_VM,

  async read(context) {
    const { builder } = context;
    const { files, chosen } = filesByVm(context, /./, 'files');
    // A slice is found by what all names of the folder have in common, however few VMs are asked for.
    const slices = sliceOf([...files.keys()]);
    let count = 0;
    for (const id of chosen) {
      const vm = builder.vm(id)!;
      const slice = slices(id);
      if (slice) {
        vm.applicationId = slice;
        vm.userId = slice.split('_')[0]!;
      }
      await readIndexed(files.get(id)!, context, vm, 1, (row, time) => {
        const cpu = row.usage(0, 'CPU %', vm);
        builder.add(vm, row, time, FIVE_MINUTES, cpu, Number.NaN, Number.NaN, Number.NaN);
      });
      builder.shareOfSize(vm, CPU, 100);
      builder.settle(vm);
      await breathe(count++);
    }
  },
};
