/**
 * The generic long format. `timestamp` is in ms since the Unix epoch, or ISO 8601 (UTC where it names no zone), and
 * is the start of what the row measures; `cpu` is in cores, `memory` in MiB, `disk_io` (read + written) and `network`
 * (received + sent) in bytes/s. Columns may come in any order; `timestamp`, `vm_id` and one of usage must be there.
 */
export const VALUE_COLUMNS = ['cpu', 'memory', 'disk_io', 'network'] as const;

/** Sizes of the VM in the same units, where known; the largest a VM's rows state counts. */
export const CAPACITY_COLUMNS = [
  'cpu_capacity',
  'memory_capacity',
  'disk_io_capacity',
  'network_capacity',
] as const;

export const LONG_COLUMNS = ['timestamp', 'application_id', 'user_id', 'vm_id', ...VALUE_COLUMNS] as const;
