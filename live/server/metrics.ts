import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DaemonStatus, Operations } from '../operations.ts';
import type { EventStreams } from './event-stream.ts';
import { known, vmViews } from './fleet-views.ts';
import type { VmView } from './views.ts';

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const STAGES = ['shadow', 'canary', 'all'] as const;

export interface Metrics {
  text(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

/**
 * The daemon for Prometheus. Ticks are followed by their events; the rest is read when it is asked for. A VM has series
 * of its own only if it is among the first `mostVms` by name: how many are left out is a figure too.
 */
export function createMetrics(operations: Operations, streams: EventStreams, mostVms: number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const decide = new Histogram({
    name: 'foresize_decide_seconds',
    help: 'Time the core took to decide in a tick.',
    buckets: SECONDS,
    registers,
  });
  const tick = new Histogram({
    name: 'foresize_tick_seconds',
    help: 'Time a whole tick took: reading, deciding and resizing.',
    buckets: SECONDS,
    registers,
  });
  const sample = new Histogram({
    name: 'foresize_sample_seconds',
    help: 'Time it took to read all VMs once: of each tick, the longest since the one before.',
    buckets: SECONDS,
    registers,
  });
  const ticks = new Counter({ name: 'foresize_ticks_total', help: 'Ticks since the start.', registers });
  const unsubscribe = operations.subscribe((event) => {
    if (event.kind !== 'tick') return;
    const { decideMs, tickMs, sampleMs } = operations.status();
    ticks.inc();
    decide.observe(decideMs / 1000);
    tick.observe(tickMs / 1000);
    sample.observe(sampleMs / 1000);
  });
  // Read once for all the series of an answer.
  let vms: VmView[] = [];
  addStatus(registers, operations, streams);
  addFindings(registers, operations, () => vms);
  addVms(registers, () => vms, mostVms);
  return {
    text: () => {
      vms = vmViews(operations);
      return registry.metrics();
    },
    contentType: registry.contentType,
    close: unsubscribe,
  };
}

function addGauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name: `foresize_${name}`,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

function addStatus(registers: Registry[], operations: Operations, streams: EventStreams): void {
  const gauge = (name: string, help: string, read: (status: DaemonStatus) => number) =>
    addGauge(registers, name, help, () => read(operations.status()));
  gauge('vms', 'VMs under control.', (status) => status.vms);
  gauge('vms_frozen', 'VMs left alone because their telemetry is stale.', (status) => status.frozen);
  gauge('kill_switch', '1 while all resizing is stopped.', (status) => Number(status.killSwitch.engaged));
  gauge('apply', '1 if resizes are carried out, 0 in a dry run.', (status) =>
    Number(status.mode === 'apply'),
  );
  gauge('connected', '1 while the connection to libvirt stands.', (status) => Number(status.connected));
  gauge('last_tick_timestamp_seconds', 'Time of the last tick.', (status) => status.tickAt / 1000);
  gauge('event_stream_clients', 'Clients of the event stream.', () => streams.count);
  new Gauge({
    name: 'foresize_stage',
    help: '1 for the stage of promotion the daemon is in.',
    labelNames: ['stage'],
    registers,
    collect() {
      const { name } = operations.status().stage;
      for (const stage of STAGES) this.set({ stage }, Number(name === stage));
    },
  });
  new Counter({
    name: 'foresize_overruns_total',
    help: 'Ticks that took longer than a tick may.',
    registers,
    collect() {
      this.reset();
      this.inc(operations.status().overruns);
    },
  });
  new Counter({
    name: 'foresize_resizes_total',
    help: 'Resizes by what became of them.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(operations.status().resizes))
        this.inc({ outcome }, count);
    },
  });
}

function addFindings(registers: Registry[], operations: Operations, vms: () => readonly VmView[]): void {
  const { currency } = operations.controller.config.prices;
  const starved = () => vms().filter((vm) => vm.starved.length > 0).length;
  const cost = () => vms().reduce((sum, vm) => sum + vm.cost.perHour, 0);
  const anomalies = () => operations.anomalies().filter(({ endedAt }) => endedAt === null).length;
  const advice = () => operations.recommendations().filter(({ state }) => state === 'open').length;
  addGauge(registers, 'vms_starved', 'VMs short of a resource now.', starved);
  addGauge(registers, 'cost_per_hour', `Price of an hour of all that is allocated now, ${currency}.`, cost);
  addGauge(registers, 'anomalies_open', 'Anomalies that last.', anomalies);
  addGauge(registers, 'recommendations_open', 'Recommendations without an answer.', advice);
}

function addVms(registers: Registry[], vms: () => readonly VmView[], mostVms: number): void {
  const labelNames = ['vm', 'application', 'resource'];
  const perVm = (name: string, help: string, read: (row: VmView['resources'][number]) => number | null) => {
    new Gauge({
      name: `foresize_vm_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        // A VM that has gone must not stay in the answer.
        this.reset();
        for (const vm of vms().slice(0, mostVms)) {
          for (const row of vm.resources) {
            const value = known(read(row) ?? undefined);
            if (value !== null)
              this.set({ vm: vm.vmId, application: vm.applicationId, resource: row.resource }, value);
          }
        }
      },
    });
  };
  perVm('usage', 'Usage in the last tick (cores, MiB, bytes/s).', (row) => row.usage);
  perVm('allocation', 'What is granted now (cores, MiB, bytes/s).', (row) => row.allocation);
  perVm(
    'predicted',
    'Upper quantile that had been forecast for the last tick (cores, MiB, bytes/s).',
    (row) => row.upper,
  );
  new Gauge({
    name: 'foresize_vms_without_series',
    help: 'VMs left out of the series by VM: see api.metricsVms.',
    registers,
    collect() {
      this.set(Math.max(0, vms().length - mostVms));
    },
  });
}
