import { stringify } from 'yaml';
import { Fleet } from '../core/fleet.ts';
import { R } from '../core/model.ts';
import { LibvirtHypervisor } from './libvirt/actuation.ts';
import { type Calibration, calibrate } from './libvirt/calibrate.ts';
import { DomainDirectory } from './libvirt/domains.ts';
import { notManaged } from './libvirt/errors.ts';
import { openHost } from './libvirt/host.ts';
import { readMapping } from './libvirt/mapping.ts';
import { readOriginal, restoreOriginal } from './libvirt/originals.ts';
import { LibvirtTelemetry } from './libvirt/telemetry.ts';
import type { RecordedWrite } from './store/entries.ts';

export interface CalibrationOptions {
  readonly uri: string;
  readonly mapping?: string | undefined;
  readonly domain: readonly string[];
  readonly rounds: number;
}

/**
 * Measures resizes on the named VMs, which must be tagged or listed, and puts their limits back.
 * @throws ForesizeError DOMAIN_NOT_MANAGED before any VM is touched
 */
export async function runCalibration(
  options: CalibrationOptions,
): Promise<{ text: string; calibration: Calibration }> {
  const mapping = options.mapping === undefined ? [] : readMapping(options.mapping);
  const host = await openHost(options.uri, true);
  try {
    const control = host.control!;
    const directory = new DomainDirectory(host.telemetry, control, mapping);
    await directory.start();
    const fleet = new Fleet();
    for (const name of options.domain) {
      const domain = directory.get(name);
      if (!domain) throw notManaged(name);
      fleet.admit(domain.spec, 0);
    }
    const originals = new Map<string, Map<number, readonly RecordedWrite[]>>();
    for (const slot of fleet.slots) {
      const uuid = directory.uuidOf(fleet.specs[slot]!.vmId)!;
      const writes = new Map<number, readonly RecordedWrite[]>();
      for (let r = 0; r < R; r++) {
        if (fleet.max[slot * R + r]! > 0) writes.set(r, await readOriginal(control, uuid, r));
      }
      originals.set(uuid, writes);
    }
    const telemetry = new LibvirtTelemetry(host.telemetry, fleet, directory);
    const hypervisor = new LibvirtHypervisor(control, fleet, directory);
    try {
      const calibration = await calibrate(fleet, telemetry, hypervisor, options.rounds);
      return { text: describe(calibration, options), calibration };
    } finally {
      for (const [uuid, writes] of originals) await restoreOriginal(control, { uuid, writes });
      directory.stop();
    }
  } finally {
    await host.close();
  }
}

/** What may stand in a scenario, with what it was made of as a comment. */
function describe(
  { measured, simulator, reports }: Calibration,
  { domain, rounds }: CalibrationOptions,
): string {
  const lines = [
    `# Measured by foresize calibrate on ${domain.join(', ')}: ${rounds} rounds, ${reports.length} resizes.`,
    ...Object.entries(measured).map(
      ([name, { latencyMs, failure }]) =>
        `# ${name}: p50 ${latencyMs.p50.toFixed(0)} ms, p90 ${latencyMs.p90.toFixed(0)} ms, ${(100 * failure).toFixed(1)} % failed`,
    ),
  ];
  return `${lines.join('\n')}\n${stringify({ hypervisor: simulator })}`;
}
