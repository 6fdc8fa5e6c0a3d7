import { ForesizeError } from '../../core/errors.ts';
import { RESOURCES, type Resource } from '../../core/model.ts';
import type { RecordedWrite } from '../store/entries.ts';
import type { Original } from '../store/ledger.ts';
import type { LibvirtConnection } from './connection.ts';
import { type Plan, planCpu, planDisk, planMemory, planNetwork, type Write } from './plan.ts';
import type { RawSample } from './session-types.ts';
import { parseSample } from './stats.ts';

/**
 * The writes that put a resource back as a sample shows it: what a resize now would do to take itself back.
 * @throws ForesizeError where the resource cannot be resized, or its limit not be read
 */
export function originalWrites(resource: Resource, sample: RawSample): readonly RecordedWrite[] {
  return anyResize(resource, sample).steps.flatMap(({ undo }) => undo ?? []);
}

function anyResize(resource: Resource, sample: RawSample): Plan {
  switch (resource) {
    case 'cpu':
      // As many cores as there are vCPUs, so that none would be added.
      return planCpu(sample, Number(sample.stats['vcpu.current'] ?? sample.info.vcpus));
    case 'memory': {
      const reading = parseSample(sample);
      return planMemory(reading, true, reading.granted.memory);
    }
    case 'diskIo':
      return planDisk(sample, 1);
    case 'network':
      return planNetwork(sample, 1);
  }
}

/** Reads what `originalWrites` needs. */
export async function readOriginal(
  control: LibvirtConnection,
  uuid: string,
  resource: number,
): Promise<readonly RecordedWrite[]> {
  const name = RESOURCES[resource]!;
  return originalWrites(name, await control.call('sample', uuid, [name]));
}

/** Errors that mean: the VM ended, and its limits with it. */
const GONE = new Set(['LIBVIRT_NO_DOMAIN', 'LIBVIRT_NOT_POSSIBLE_NOW']);

/**
 * Puts the limits of a VM back. What fails does not keep the rest from being tried.
 * @throws the first problem
 */
export async function restoreOriginal(control: LibvirtConnection, { uuid, writes }: Original): Promise<void> {
  let problem: unknown;
  for (const list of writes.values()) {
    for (const { operation, args } of list as readonly Write[]) {
      try {
        await control.call(operation, uuid, ...(args as [never, never]));
      } catch (error) {
        if (!(error instanceof ForesizeError && GONE.has(error.code))) problem ??= error;
      }
    }
  }
  if (problem !== undefined) throw problem;
}
