/**
 * virTypedParameter, libvirt's way to pass named values: 96 bytes each, with the name (at most 80 bytes, NUL
 * ended) at 0, the type at 80 and the value at 88. See libvirt-common.h. Byte order: little endian, as on every
 * platform koffi is built for.
 */

export const PARAM_BYTES = 96;
const NAME_BYTES = 80;
const TYPE_AT = 80;
const VALUE_AT = 88;

const TYPE = { int: 1, uint: 2, llong: 3, ullong: 4, double: 5, boolean: 6, string: 7 } as const;
export type ParamType = keyof typeof TYPE;

/**
 * Values by name. 64-bit integers become numbers: exact up to 2^53 (a nanosecond counter passes that after 104
 * days and is then off by one or two), which is enough for the differences taken of them.
 */
export type Params = Readonly<Record<string, number | boolean | string>>;

export interface TypedParam {
  readonly name: string;
  readonly type: ParamType;
  readonly value: number | boolean | string;
}

/** @param stringAt reads the NUL-ended string at an address */
export function decodeParams(
  bytes: ArrayBuffer,
  count: number,
  stringAt: (address: bigint) => string,
): Params {
  const view = new DataView(bytes);
  const text = Buffer.from(bytes);
  const params: Record<string, number | boolean | string> = {};
  for (let i = 0; i < count; i++) {
    const start = i * PARAM_BYTES;
    const end = text.indexOf(0, start);
    const name = text.toString('latin1', start, Math.min(end < 0 ? start : end, start + NAME_BYTES));
    const at = start + VALUE_AT;
    switch (view.getInt32(start + TYPE_AT, true)) {
      case TYPE.int:
        params[name] = view.getInt32(at, true);
        break;
      case TYPE.uint:
        params[name] = view.getUint32(at, true);
        break;
      case TYPE.llong:
        params[name] = Number(view.getBigInt64(at, true));
        break;
      case TYPE.ullong:
        params[name] = Number(view.getBigUint64(at, true));
        break;
      case TYPE.double:
        params[name] = view.getFloat64(at, true);
        break;
      case TYPE.boolean:
        params[name] = view.getInt8(at) !== 0;
        break;
      case TYPE.string: {
        const address = view.getBigUint64(at, true);
        params[name] = address === 0n ? '' : stringAt(address);
        break;
      }
      // A type of a later libvirt: its value cannot be read, the rest can.
      default:
    }
  }
  return params;
}

/** @param addressOf the address of a NUL-ended copy of the string, which must live until the call is over */
export function encodeParams(params: readonly TypedParam[], addressOf: (text: string) => bigint): Buffer {
  const bytes = Buffer.alloc(params.length * PARAM_BYTES);
  params.forEach(({ name, type, value }, i) => {
    const start = i * PARAM_BYTES;
    if (Buffer.byteLength(name, 'latin1') >= NAME_BYTES)
      throw new RangeError(`parameter name too long: ${name}`);
    bytes.write(name, start, 'latin1');
    bytes.writeInt32LE(TYPE[type], start + TYPE_AT);
    const at = start + VALUE_AT;
    switch (type) {
      case 'int':
        bytes.writeInt32LE(Number(value), at);
        break;
      case 'uint':
        bytes.writeUInt32LE(Number(value), at);
        break;
      case 'llong':
        bytes.writeBigInt64LE(BigInt(value), at);
        break;
      case 'ullong':
        bytes.writeBigUInt64LE(BigInt(value), at);
        break;
      case 'double':
        bytes.writeDoubleLE(Number(value), at);
        break;
      case 'boolean':
        bytes.writeInt8(value ? 1 : 0, at);
        break;
      case 'string':
        bytes.writeBigUInt64LE(addressOf(String(value)), at);
        break;
    }
  });
  return bytes;
}
