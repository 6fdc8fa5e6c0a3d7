import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeParams,
  encodeParams,
  PARAM_BYTES,
  type TypedParam,
} from '../../../live/libvirt/typed-params.ts';

const arrayBuffer = (bytes: Buffer): ArrayBuffer =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;

describe('virTypedParameter', () => {
  it('lies in memory as virTypedParameter does: name at 0, type at 80, value at 88, 96 bytes in all', () => {
    const bytes = encodeParams(
      [
        { name: 'global_quota', type: 'llong', value: -1 },
        { name: 'inbound.average', type: 'uint', value: 0x01020304 },
      ],
      () => 0n,
    );
    expect(bytes.length).toBe(192);
    expect(bytes.toString('latin1', 0, 12)).toBe('global_quota');
    expect([...bytes.subarray(12, 80)].every((byte) => byte === 0)).toBe(true);
    expect([...bytes.subarray(80, 84)]).toEqual([3, 0, 0, 0]);
    expect([...bytes.subarray(88, 96)]).toEqual(Array(8).fill(0xff));
    expect([...bytes.subarray(96 + 80, 96 + 84)]).toEqual([2, 0, 0, 0]);
    expect([...bytes.subarray(96 + 88, 96 + 92)]).toEqual([4, 3, 2, 1]);
  });

  it('gives back what was put in, of every type', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,78}$/);
    const value = fc.oneof(
      fc.record({ type: fc.constant('int' as const), value: fc.integer() }),
      fc.record({ type: fc.constant('uint' as const), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
      fc.record({ type: fc.constant('llong' as const), value: fc.maxSafeInteger() }),
      fc.record({ type: fc.constant('ullong' as const), value: fc.maxSafeNat() }),
      fc.record({ type: fc.constant('double' as const), value: fc.double({ noNaN: true }) }),
      fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
      fc.record({ type: fc.constant('string' as const), value: fc.string({ minLength: 1 }) }),
    );
    const params = fc.uniqueArray(
      fc.tuple(name, value).map(([n, v]): TypedParam => ({ name: n, ...v })),
      { selector: (param) => param.name, maxLength: 20 },
    );
    fc.assert(
      fc.property(params, (list) => {
        const strings: string[] = [''];
        const bytes = encodeParams(list, (text) => BigInt(strings.push(text) - 1));
        const decoded = decodeParams(arrayBuffer(bytes), list.length, (address) => strings[Number(address)]!);
        expect(Object.entries(decoded)).toHaveLength(list.length);
        for (const param of list) expect(decoded[param.name]).toBe(param.value);
      }),
    );
  });

  it('reads a name that fills its field without the NUL, and skips a type it does not know', () => {
    const bytes = Buffer.alloc(2 * PARAM_BYTES);
    bytes.fill('x', 0, 80);
    bytes.writeInt32LE(1, 80);
    bytes.writeInt32LE(7, 88);
    bytes.write('later', PARAM_BYTES);
    bytes.writeInt32LE(99, PARAM_BYTES + 80);
    expect(decodeParams(arrayBuffer(bytes), 2, () => '')).toEqual({ ['x'.repeat(80)]: 7 });
  });

  it('refuses a name that does not fit', () => {
    expect(() => encodeParams([{ name: 'n'.repeat(80), type: 'int', value: 1 }], () => 0n)).toThrow(
      RangeError,
    );
  });
});
