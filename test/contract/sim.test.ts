import { Interval } from '../../core/interval.ts';
import { R } from '../../core/model.ts';
import { hypervisorParams } from '../../sim/cluster/hypervisor-model.ts';
import { SimHypervisor } from '../../sim/cluster/sim-hypervisor.ts';
import { SimTelemetry, telemetryParams } from '../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../sim/cluster/vm-model.ts';
import { Vms } from '../../sim/cluster/vms.ts';
import { fleetOf } from '../core/fleet-of.ts';
import { portContract } from './ports.ts';

const STEP = 300_000;

portContract('the simulator', async () => {
  const fleet = fleetOf(3);
  const vms = fleet.register(new Vms(fleet, vmModelParams.parse({}), STEP));
  const interval = fleet.register(new Interval());
  const telemetry = new SimTelemetry(
    fleet,
    vms,
    telemetryParams.parse({ noise: 0.05 }),
    1,
    STEP,
    (slot) => slot,
  );
  const hypervisor = new SimHypervisor(vms, hypervisorParams.parse({}), 1, STEP, (slot) => slot);
  let at = 0;
  return {
    fleet,
    telemetry,
    hypervisor,
    pass: async () => {
      for (const slot of fleet.slots) vms.demand.set([1 + 0.3 * slot, 1024, 2e5, 2e5], slot * R);
      vms.settle(telemetry.observed, interval);
      at += STEP;
      telemetry.settled(at);
      return at;
    },
    close: async () => {},
  };
});
