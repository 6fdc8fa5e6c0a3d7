import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNumber } from '../../../sim/trace/numbers.ts';

const parse = (text: string) => {
  // Bytes around it must not matter.
  const bytes = Buffer.from(`9${text}9`, 'latin1');
  return parseNumber(bytes, 1, 1 + Buffer.byteLength(text, 'latin1'));
};

test.each([
  ['24', 24],
  ['-3.5', -3.5],
  ['+0.25', 0.25],
  ['.5', 0.5],
  ['5.', 5],
  ['12.766666666666667', 12.766666666666667],
  ['6.800286061538461E7', 68002860.61538461],
  ['1e-3', 0.001],
  ['0000000000000000000000007', 7],
  ['123456789012345678901234567890', 1.2345678901234568e29],
])('%s is a number', (text, value) => {
  expect(parse(text)).toBe(value);
});

test.each([
  '',
  '-',
  '.',
  '-.',
  'NaN',
  'inf',
  'Infinity',
  '0x10',
  '1e',
  '1e+',
  '1.2.3',
  '1 2',
  '5%',
  '--1',
  '1e999',
  'e5',
  '1_0',
])('"%s" is none', (text) => {
  expect(parse(text)).toBeNaN();
});

test('agrees with Number to the last bit', () => {
  const decimal = fc
    .tuple(fc.constantFrom('', '-'), fc.stringMatching(/^\d{1,20}$/), fc.stringMatching(/^(\.\d{0,20})?$/))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      fc.oneof(decimal, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
      (text) => {
        expect(parse(text)).toBe(Number(text));
      },
    ),
    { numRuns: 2000 },
  );
});
