import type { Params } from './typed-params.ts';

/** Disks with a medium, as libvirt names them to the guest; an empty drive has no capacity. */
export function diskNames(stats: Params): string[] {
  return deviceNames(stats, 'block')
    .filter(([, i]) => Number(stats[`block.${i}.capacity`] ?? 0) > 0)
    .map(([name]) => name);
}

/** Interfaces with a device on the host; a user-mode one has none and can be neither counted nor limited. */
export function nicNames(stats: Params): string[] {
  return deviceNames(stats, 'net').map(([name]) => name);
}

/** Devices of a group with the index libvirt lists them under, which shifts when one before it is removed. */
export function deviceNames(stats: Params, group: 'block' | 'net'): [name: string, index: number][] {
  const names: [string, number][] = [];
  const count = Number(stats[`${group}.count`] ?? 0);
  for (let i = 0; i < count; i++) {
    const name = stats[`${group}.${i}.name`];
    if (typeof name === 'string') names.push([name, i]);
  }
  return names;
}
