import * as w from './assembler.ts';
import { CANDIDATES, LIMIT, QUANTILES, RARE } from './sizes.ts';

const Q = QUANTILES.length;
/** Bytes from one candidate's shift to the next. */
const SHIFT = 4 * Q;

/** See `Kernels.candidates`. */
export function candidates(): w.KernelFunction {
  const [out, base, slow, quantiles, steps, limits, horizon, path] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [q, left, o, s] = [8, 9, 10, 11];
  const [b, x, near, daily, recent, level, slowLevel, seasonal] = [12, 13, 14, 15, 16, 17, 18, 19];
  const within = (value: w.Code, limit: w.Code, low: w.Code): w.Code => w.fmax(w.fmin(value, limit), low);
  const put = (value: w.Code): w.Code => [w.store(w.get(o), value), w.advance(o, w.get(path))];
  const cut = (value: w.Code, limit: number): w.Code =>
    put(within(value, w.get(limit), w.fsub(w.splat(0), w.get(limit))));
  const cutKnown = (value: w.Code, limit: number): w.Code => [
    w.set(x, within(value, w.get(limit), w.fsub(w.splat(0), w.get(limit)))),
    put(w.known(x)),
  ];
  const rare = (value: w.Code): w.Code => [
    w.set(x, w.fmul(within(value, w.splat(LIMIT), w.splat(-LIMIT)), w.splat(RARE))),
    put(w.known(x)),
  ];
  const lessBase = (value: w.Code): w.Code => w.fsub(value, w.get(b));
  /** The arrays by step follow one another. */
  const ofDay = (i: number): w.Code => [
    w.set(s, w.get(steps)),
    new Array<w.Code>(i).fill(w.advance(s, w.shiftLeft(w.get(horizon), 2))),
  ];
  return {
    name: 'candidates',
    parameters: 8,
    locals: [...new Array<number>(4).fill(w.I32), ...new Array<number>(8).fill(w.V128)],
    body: [
      [near, daily, recent].map((local, i) => w.set(local, w.loadSplat(w.get(limits), 4 * i))),
      w.set(q, w.int(Q)),
      w.countDown(q, 1, [
        [level, slowLevel, seasonal].map((local, i) =>
          w.set(local, w.loadSplat(w.get(quantiles), 4 * Q * i)),
        ),
        w.set(left, w.get(horizon)),
        w.countDown(left, 4, [
          w.set(o, w.get(out)),
          w.set(b, w.load(w.get(base))),
          cut(lessBase(w.get(level)), near),
          cut(lessBase(w.get(slowLevel)), near),
          put(within(lessBase(w.load(w.get(slow))), w.splat(LIMIT), w.splat(-LIMIT))),
          [0, 1].map((i) => [
            ofDay(i),
            cutKnown(w.fadd(w.load(w.get(s)), w.fsub(w.get(seasonal), w.get(b))), daily),
          ]),
          rare(lessBase(w.get(recent))),
          [ofDay(2), rare(lessBase(w.load(w.get(s))))],
          rare(lessBase(w.get(level))),
          [out, base, slow, steps].map((at) => w.advance(at, w.int(16))),
        ]),
        w.set(steps, w.sub(w.get(steps), w.shiftLeft(w.get(horizon), 2))),
        w.advance(quantiles, w.int(4)),
      ]),
    ],
  };
}

/** See `Kernels.mix`. */
export function mix(): w.KernelFunction {
  const [out, base, raw, unit, candidates, mixAt, rows, horizon, path, rawRow] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ];
  const [q, left, shift, c, m] = [10, 11, 12, 13, 14];
  const [sum, u] = [15, 16];
  const shifts = Array.from({ length: CANDIDATES }, (_, j) => 17 + j);
  return {
    name: 'mix',
    parameters: 10,
    locals: [...new Array<number>(5).fill(w.I32), ...new Array<number>(2 + CANDIDATES).fill(w.V128)],
    body: w.countDown(rows, 1, [
      w.set(shift, w.add(w.get(raw), w.get(path))),
      w.set(q, w.int(Q)),
      w.countDown(q, 1, [
        w.set(u, w.loadSplat(w.get(unit))),
        shifts.map((local, j) => w.set(local, w.loadSplat(w.get(shift), j * SHIFT))),
        w.set(left, w.get(horizon)),
        w.countDown(left, 4, [
          w.set(sum, w.fadd(w.load(w.get(base)), w.fmul(w.get(u), w.load(w.get(raw))))),
          w.set(c, w.get(candidates)),
          w.set(m, w.get(mixAt)),
          shifts.map((local) => [
            w.set(sum, w.fadd(w.get(sum), w.fmul(w.fadd(w.load(w.get(m)), w.get(local)), w.load(w.get(c))))),
            [c, m].map((at) => w.advance(at, w.get(path))),
          ]),
          w.store(w.get(out), w.get(sum)),
          [out, base, raw, candidates, mixAt].map((at) => w.advance(at, w.int(16))),
        ]),
        [unit, shift].map((at) => w.advance(at, w.int(4))),
      ]),
      toNextRow({ candidates, mixAt, raw, rawRow, path }),
    ]),
  };
}

/** See `Kernels.mixBackward`. */
export function mixBackward(): w.KernelFunction {
  const [slopes, unit, candidates, raw, mixAt, rows, horizon, path, rawRow] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [q, left, shift, c, m] = [9, 10, 11, 12, 13];
  const [u, s, d] = [14, 15, 16];
  const sums = Array.from({ length: CANDIDATES }, (_, j) => 17 + j);
  return {
    name: 'mixBackward',
    parameters: 9,
    locals: [...new Array<number>(5).fill(w.I32), ...new Array<number>(3 + CANDIDATES).fill(w.V128)],
    body: w.countDown(rows, 1, [
      w.set(shift, w.add(w.get(raw), w.get(path))),
      w.set(q, w.int(Q)),
      w.countDown(q, 1, [
        w.set(u, w.loadSplat(w.get(unit))),
        sums.map((local) => w.set(local, w.splat(0))),
        w.set(left, w.get(horizon)),
        w.countDown(left, 4, [
          w.set(s, w.load(w.get(slopes))),
          w.store(w.get(raw), w.fmul(w.get(u), w.get(s))),
          w.set(c, w.get(candidates)),
          w.set(m, w.get(mixAt)),
          sums.map((local) => [
            w.set(d, w.fmul(w.get(s), w.load(w.get(c)))),
            w.set(local, w.fadd(w.get(local), w.get(d))),
            w.store(w.get(m), w.fadd(w.load(w.get(m)), w.get(d))),
            [c, m].map((at) => w.advance(at, w.get(path))),
          ]),
          [slopes, raw, candidates, mixAt].map((at) => w.advance(at, w.int(16))),
        ]),
        sums.map((local, j) => [w.sumLanes(local), w.storeLane(w.get(shift), w.get(local), j * SHIFT)]),
        [unit, shift].map((at) => w.advance(at, w.int(4))),
      ]),
      toNextRow({ candidates, mixAt, raw, rawRow, path }),
    ]),
  };
}

/** A row took one path of each: the candidates have more in theirs, outputs have shifts, the mixture is for all rows. */
function toNextRow(at: Record<'candidates' | 'mixAt' | 'raw' | 'rawRow' | 'path', number>): w.Code {
  return [
    new Array<w.Code>(CANDIDATES - 1).fill(w.advance(at.candidates, w.get(at.path))),
    w.set(at.mixAt, w.sub(w.get(at.mixAt), w.get(at.path))),
    w.set(at.raw, w.sub(w.add(w.get(at.raw), w.get(at.rawRow)), w.get(at.path))),
  ];
}
