import { setTimeout as sleep } from 'node:timers/promises';
import { describe, inject, it } from 'vitest';
import { Fleet } from '../../core/fleet.ts';
import { LibvirtHypervisor } from '../../live/libvirt/actuation.ts';
import { DomainDirectory } from '../../live/libvirt/domains.ts';
import { openHost } from '../../live/libvirt/host.ts';
import { LibvirtTelemetry } from '../../live/libvirt/telemetry.ts';
import { noLibvirt } from '../live/support.ts';
import { portContract } from './ports.ts';

const rig = inject('rig');
const skipped = noLibvirt ?? rig.skipped;

if (skipped) describe.skip(`libvirt (SKIPPED: ${skipped})`, () => it('keeps the contract', () => {}));
else {
  portContract('libvirt', async () => {
    const host = await openHost(rig.uri, true);
    const fleet = new Fleet();
    const directory = new DomainDirectory(host.telemetry, host.control, []);
    await directory.start();
    const { arrived } = directory.changes();
    for (const spec of arrived) fleet.admit(spec, 0);
    const telemetry = new LibvirtTelemetry(host.telemetry, fleet, directory);
    return {
      fleet,
      telemetry,
      hypervisor: new LibvirtHypervisor(host.control!, fleet, directory, {}),
      pass: async () => {
        await sleep(2000);
        await telemetry.sample();
        return Date.now();
      },
      close: async () => {
        directory.stop();
        await host.close();
      },
    };
  });
}
