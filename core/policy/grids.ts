import { BucketGrid } from '../histogram.ts';

const MIB = 1_048_576;

/**
 * Histogram buckets by resource, after the Kubernetes VPA: 0.01 to 1000 cores, 1e7 to 1e12 bytes of memory (here in
 * MiB). VPA has no disk or network: 100 kB/s to 10 GB/s. All have the same number of buckets.
 */
export function usageGrids(ratio: number): readonly BucketGrid[] {
  return [
    new BucketGrid(0.01, 1000, ratio),
    new BucketGrid(1e7 / MIB, 1e12 / MIB, ratio),
    new BucketGrid(1e5, 1e10, ratio),
    new BucketGrid(1e5, 1e10, ratio),
  ];
}
