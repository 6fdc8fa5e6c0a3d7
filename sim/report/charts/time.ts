import { colorScale, type Look, type Spec } from '../theme.ts';

/** Times are the ends of their intervals, so steps go back from them. Days on the axis where they begin, hours between; UTC. */
const TIME = {
  field: 't',
  type: 'temporal',
  scale: { type: 'utc' },
  axis: {
    title: null,
    grid: false,
    labelExpr:
      "utchours(datum.value) === 0 ? utcFormat(datum.value, '%a %-d %b') : utcFormat(datum.value, '%H:%M')",
    labelOverlap: true,
    labelFlush: true,
    tickCount: { expr: 'max(3, floor(width / 110))' },
  },
};

const value = (field: string, zero = true) => ({
  field,
  type: 'quantitative',
  scale: { zero },
  axis: { title: null, tickCount: 5 },
  stack: null,
});

const STAMP = { field: 't', type: 'temporal', title: 'Time (UTC)', format: '%a %-d %b %H:%M' };

/**
 * The forecast for each interval, made one tick before, against the demand that came. Rows of `rows`: t, demand,
 * median, upper; The parameter `tone` is the policy's colour. Along the foot a tick for every interval above the bound.
 */
export function forecastSpec(): Spec {
  return {
    width: 'container',
    height: 260,
    data: { name: 'rows' },
    encoding: { x: TIME },
    layer: [
      {
        transform: [{ filter: 'isValid(datum.upper) && isValid(datum.median)' }],
        mark: { type: 'area', color: { expr: 'tone' }, opacity: 0.22 },
        encoding: { y: value('median'), y2: { field: 'upper' } },
      },
      {
        transform: [{ filter: 'isValid(datum.upper)' }],
        mark: { type: 'line', color: { expr: 'tone' }, strokeWidth: 1.2 },
        encoding: { y: value('upper') },
      },
      {
        transform: [{ filter: 'isValid(datum.median)' }],
        mark: { type: 'line', color: { expr: 'tone' }, strokeWidth: 1.2, strokeDash: [4, 3] },
        encoding: { y: value('median') },
      },
      {
        mark: { type: 'line', color: '@ink', strokeWidth: 1.3 },
        encoding: { y: value('demand') },
      },
      {
        transform: [{ filter: 'isValid(datum.upper) && datum.demand > datum.upper' }],
        mark: {
          type: 'rule',
          color: '@bad',
          strokeWidth: 1.2,
          y: { expr: 'height' },
          y2: { expr: 'height - 9' },
        },
        encoding: {},
      },
      hover(['demand', 'median', 'upper']),
    ],
  };
}

/** What was granted against what was wanted, red where it was too little. Rows: t, demand, allocation. */
export function allocationSpec(): Spec {
  return {
    width: 'container',
    height: 260,
    data: { name: 'rows' },
    encoding: { x: TIME },
    layer: [
      { mark: { type: 'area', color: '@demand', opacity: 0.75 }, encoding: { y: value('demand') } },
      {
        transform: [{ filter: 'datum.demand > datum.allocation' }],
        mark: { type: 'rule', color: '@bad', strokeWidth: 1.6 },
        encoding: { y: value('allocation'), y2: { field: 'demand' } },
      },
      {
        mark: { type: 'line', interpolate: 'step-before', color: { expr: 'tone' }, strokeWidth: 2 },
        encoding: { y: value('allocation') },
      },
      hover(['demand', 'allocation']),
    ],
  };
}

/** Fleet sums: demand as ground, an allocation line a policy. Rows: t, demand of `demand`; t, policy, y of `rows`. */
export function fleetSpec(looks: readonly Look[]): Spec {
  return {
    ...linesSpec(looks, 280),
    layer: [
      {
        data: { name: 'demand' },
        mark: { type: 'area', color: '@demand', opacity: 0.75 },
        encoding: { x: TIME, y: value('demand') },
      },
      ...(linesSpec(looks, 280)['layer'] as Spec[]),
    ],
  };
}

/** A line a policy; the parameter `focus` names the one to bring forward, or 'all'. Rows: t, policy, y. */
export function linesSpec(looks: readonly Look[], height: number): Spec {
  const focused = "focus === 'all' || datum.policy === focus";
  return {
    width: 'container',
    height,
    layer: [
      {
        data: { name: 'rows' },
        mark: { type: 'line', interpolate: 'step-before', strokeJoin: 'round' },
        encoding: {
          x: TIME,
          y: value('y'),
          color: { field: 'policy', type: 'nominal', scale: colorScale(looks), legend: null },
          strokeDash: {
            field: 'policy',
            type: 'nominal',
            scale: { domain: looks.map((l) => l.policy), range: looks.map((l) => l.dash) },
            legend: null,
          },
          opacity: { condition: { test: focused, value: 1 }, value: 0.18 },
          strokeWidth: { condition: { test: 'datum.policy === focus', value: 2.4 }, value: 1.6 },
          tooltip: [
            { field: 'policy', type: 'nominal', title: 'Policy' },
            STAMP,
            { field: 'y', type: 'quantitative', title: 'Value', format: '.3~r' },
          ],
        },
      },
    ],
  };
}

/** Unseen bars that catch the pointer, so that every time shows its figures. */
function hover(fields: readonly string[]): Spec {
  return {
    mark: { type: 'rule', opacity: 0, strokeWidth: 6, y: 0, y2: { expr: 'height' } },
    encoding: {
      tooltip: [
        STAMP,
        ...fields.map((field) => ({ field, type: 'quantitative', title: field, format: '.3~r' })),
      ],
    },
  };
}
