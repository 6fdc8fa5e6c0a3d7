import { type Frame, R } from '../../core/model.ts';

/**
 * The frame of one tick as the core saw it, a row a VM. `act` tells whether its wishes went on to the guards and
 * the hypervisor.
 */
export interface JournaledFrame {
  readonly tick: number;
  readonly at: number;
  readonly act: boolean;
  /** Numbers of the VMs, in the order of their slots. */
  readonly vms: Int32Array;
  /** Row x R. */
  readonly usage: Float64Array;
  readonly pressure: Float64Array;
  readonly allocation: Float64Array;
  /** By row. */
  readonly sampledAt: Float64Array;
  readonly oomKills: Uint16Array;
}

/** Takes the rows of `slots` out of a frame. */
export function captureFrame(
  frame: Frame,
  slots: Int32Array,
  numberOf: (slot: number) => number,
  act: boolean,
): JournaledFrame {
  const n = slots.length;
  const captured = {
    tick: frame.tick,
    at: frame.at,
    act,
    vms: Int32Array.from(slots, numberOf),
    usage: new Float64Array(n * R),
    pressure: new Float64Array(n * R),
    allocation: new Float64Array(n * R),
    sampledAt: new Float64Array(n),
    oomKills: new Uint16Array(n),
  };
  slots.forEach((slot, row) => {
    for (const key of ['usage', 'pressure', 'allocation'] as const) {
      captured[key].set(frame[key].subarray(slot * R, slot * R + R), row * R);
    }
    captured.sampledAt[row] = frame.sampledAt[slot]!;
    captured.oomKills[row] = frame.oomKills[slot]!;
  });
  return captured;
}

const HEAD = 16;

/** Little endian: at f64, act u32, count n u32, then vms i32 x n, oomKills u16 x n, sampledAt f64 x n, 3 x f64 x n x R. */
export function encodeFrame(frame: JournaledFrame): Buffer {
  const n = frame.vms.length;
  const bytes = Buffer.alloc(HEAD + n * (4 + 2 + 8 + 3 * 8 * R));
  bytes.writeDoubleLE(frame.at, 0);
  bytes.writeUInt32LE(frame.act ? 1 : 0, 8);
  bytes.writeUInt32LE(n, 12);
  let at = HEAD;
  for (const vm of frame.vms) at = bytes.writeInt32LE(vm, at);
  for (const kills of frame.oomKills) at = bytes.writeUInt16LE(kills, at);
  for (const column of [frame.sampledAt, frame.usage, frame.pressure, frame.allocation]) {
    for (const value of column) at = bytes.writeDoubleLE(value, at);
  }
  return bytes;
}

/** @throws RangeError when the bytes are not a frame */
export function decodeFrame(tick: number, bytes: Buffer): JournaledFrame {
  const n = bytes.readUInt32LE(12);
  if (bytes.length !== HEAD + n * (4 + 2 + 8 + 3 * 8 * R))
    throw new RangeError('a frame of the wrong length');
  let at = HEAD;
  const doubles = (count: number): Float64Array => {
    const column = new Float64Array(count);
    for (let i = 0; i < count; i++, at += 8) column[i] = bytes.readDoubleLE(at);
    return column;
  };
  const vms = new Int32Array(n);
  for (let i = 0; i < n; i++, at += 4) vms[i] = bytes.readInt32LE(at);
  const oomKills = new Uint16Array(n);
  for (let i = 0; i < n; i++, at += 2) oomKills[i] = bytes.readUInt16LE(at);
  const sampledAt = doubles(n);
  return {
    tick,
    at: bytes.readDoubleLE(0),
    act: bytes.readUInt32LE(8) === 1,
    vms,
    oomKills,
    sampledAt,
    usage: doubles(n * R),
    pressure: doubles(n * R),
    allocation: doubles(n * R),
  };
}
