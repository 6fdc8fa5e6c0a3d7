import { CPU, DISK_IO, MEMORY, NETWORK, R, type ResourceVector } from '../../../core/model.ts';

/** What goes wrong with VMs. */
export const ANOMALY_KINDS = [
  'leak',
  'runaway-loop',
  'crypto-miner',
  'noisy-neighbour',
  'traffic-flood',
  'stuck-at-zero',
] as const;
export type AnomalyKind = (typeof ANOMALY_KINDS)[number];

export interface AnomalyShape {
  /** Resources it shows in; the VM must have at least the first. */
  readonly resources: readonly number[];
  /** How large it is unless stated otherwise, in the sense of `apply`. */
  readonly size: number;
  /** How long it lasts unless stated otherwise. */
  readonly lasts: string;
  /**
   * Changes a VM's demand of one interval in place, from index `i` of a row.
   * @param size see each
   * @param progress share of its length that is over by the end of the interval, in (0, 1]
   * @param requested the owner's request
   */
  apply(demand: Float64Array, i: number, size: number, progress: number, requested: ResourceVector): void;
}

/** Each kind as it shows in demand. */
export const ANOMALY_SHAPES: Readonly<Record<AnomalyKind, AnomalyShape>> = {
  /** Memory in use grows linearly to (1 + size) times what it would be; a restart at the end frees it. */
  leak: {
    resources: [MEMORY],
    size: 1,
    lasts: '12h',
    apply: (demand, i, size, progress) => {
      demand[i + MEMORY] = demand[i + MEMORY]! * (1 + size * progress);
    },
  },
  /** CPU pegged at size x the cores of the VM. */
  'runaway-loop': {
    resources: [CPU],
    size: 1,
    lasts: '3h',
    apply: (demand, i, size, _progress, requested) => {
      demand[i + CPU] = Math.max(demand[i + CPU]!, size * requested[CPU]);
    },
  },
  /** CPU steady at size x the cores of the VM, hardly any network, nothing else. */
  'crypto-miner': {
    resources: [CPU],
    size: 0.8,
    lasts: '12h',
    apply: (demand, i, size, _progress, requested) => {
      demand[i + CPU] = Math.max(demand[i + CPU]!, size * requested[CPU]);
      demand[i + NETWORK] = demand[i + NETWORK]! * 1.02;
    },
  },
  /**
   * Disk x size and at least all that the owner requested, network x (1 + size) / 2: what others on the same host,
   * where there are hosts, come to feel.
   */
  'noisy-neighbour': {
    resources: [DISK_IO, NETWORK],
    size: 5,
    lasts: '2h',
    apply: (demand, i, size, _progress, requested) => {
      demand[i + DISK_IO] = Math.max(demand[i + DISK_IO]! * size, requested[DISK_IO]);
      demand[i + NETWORK] = (demand[i + NETWORK]! * (1 + size)) / 2;
    },
  },
  /** Network x size, and at least all that the owner requested: nobody floods less at night. */
  'traffic-flood': {
    resources: [NETWORK],
    size: 14,
    lasts: '15m',
    apply: (demand, i, size, _progress, requested) => {
      demand[i + NETWORK] = Math.max(demand[i + NETWORK]! * size, requested[NETWORK]);
    },
  },
  /** The service has stopped: a share of size of CPU, disk and network is gone, memory stays. */
  'stuck-at-zero': {
    resources: [CPU, DISK_IO, NETWORK],
    size: 1,
    lasts: '2h',
    apply: (demand, i, size) => {
      for (let r = 0; r < R; r++) if (r !== MEMORY) demand[i + r] = demand[i + r]! * Math.max(0, 1 - size);
    },
  },
};
