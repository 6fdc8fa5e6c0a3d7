import { CPU, MEMORY } from '../../../core/model.ts';
import { FIVE_MINUTES, SMALL_VM, type TraceReader } from '../reader.ts';
import { breathe, filesByVm, readIndexed } from './indexed.ts';

/**
 * Pseudo-VMs made of aggregated jobs of Google's 2011 cluster trace: a file a VM named `vm_<job>_<n>`, a line an
 * interval of 300 s with CPU and memory in % of the VM's capacity, parted by a space.
 */
export const google2011: TraceReader = {
  format: 'google2011',
  about: 'Google 2011 pseudo-VMs: a folder of files, "CPU % memory %" a line, 300 s',
  has: [true, true, false, false],
  sample: FIVE_MINUTES,
  hasMax: false,
  assume: SMALL_VM,

  async read(context) {
    const { builder } = context;
    let count = 0;
    const { files, chosen } = filesByVm(context, /./, 'files');
    for (const id of chosen) {
      const vm = builder.vm(id)!;
      const job = /^vm_(\d+)_\d+$/.exec(id);
      if (job) vm.applicationId = `job_${job[1]}`;
      await readIndexed(files.get(id)!, context, vm, 2, (row, time) => {
        const cpu = row.usage(0, 'CPU %', vm);
        const memory = row.usage(1, 'memory %', vm);
        builder.add(vm, row, time, FIVE_MINUTES, cpu, memory, Number.NaN, Number.NaN);
      });
      builder.shareOfSize(vm, CPU, 100);
      builder.shareOfSize(vm, MEMORY, 100);
      builder.settle(vm);
      await breathe(count++);
    }
  },
};
