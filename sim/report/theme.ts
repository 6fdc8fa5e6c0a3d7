import type { RunResult } from '../result.ts';
import { isOracle } from './measures.ts';

/** A Vega-Lite specification, with colours as tokens ('@ink') until `themed` puts a theme's in their place. */
export type Spec = { [key: string]: unknown };

export type Theme = Readonly<Record<string, string>>;

/**
 * Policy colours were searched for the largest least distance in OKLab between any two (with ink and grey) as
 * seen with normal, protanopic, deuteranopic and tritanopic sight (Machado et al. 2009), each with a contrast
 * of at least 3.1 on its ground. Least distance 0.10 in both themes; 0.08 is Okabe and Ito's.
 */
export const LIGHT: Theme = {
  ground: '#fcfcfa',
  surface: '#ffffff',
  ink: '#1b1f24',
  muted: '#59616b',
  rule: '#dfe2e5',
  demand: '#c3c8ce',
  bad: '#c01f2e',
  base: '#23282f',
  oracle: '#8a8f98',
  c0: '#20359a',
  c1: '#c48000',
  c2: '#0b786a',
  c3: '#8a4fb3',
  c4: '#a34104',
  c5: '#69335f',
};

export const DARK: Theme = {
  ground: '#14171c',
  surface: '#1b1f26',
  ink: '#eceef1',
  muted: '#a4acb7',
  rule: '#303640',
  demand: '#454d59',
  bad: '#ff6b74',
  base: '#eef0f3',
  oracle: '#7d848e',
  c0: '#669ef8',
  c1: '#b1a55d',
  c2: '#7aeba2',
  c3: '#cdbdff',
  c4: '#c56829',
  c5: '#fc89b8',
};

const COLORS = 6;
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down'];
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
];

/** How a policy looks, the same in every chart: colours repeat after six, then the dash of lines differs. */
export interface Look {
  policy: string;
  /** Token of its colour. */
  color: string;
  shape: string;
  dash: number[];
}

export function looksOf(runs: readonly RunResult[], baseline: string): Look[] {
  let next = 0;
  return runs.map(({ policy }) => {
    if (isOracle(policy)) return { policy, color: '@oracle', shape: 'circle', dash: [4, 3] };
    if (policy === baseline && runs.length > 1)
      return { policy, color: '@base', shape: 'circle', dash: [1, 0] };
    const i = next++;
    return {
      policy,
      color: `@c${i % COLORS}`,
      shape: SHAPES[i % SHAPES.length]!,
      dash: DASHES[Math.floor(i / COLORS) % DASHES.length]!,
    };
  });
}

/** Colour scale of policies. */
export function colorScale(looks: readonly Look[]): Spec {
  return { domain: looks.map((l) => l.policy), range: looks.map((l) => l.color) };
}

/** The specification with the colours of `theme` for its tokens. */
export function themed(spec: Spec, theme: Theme): Spec {
  return JSON.parse(
    JSON.stringify(spec).replace(/"@(\w+)"/g, (token, name: string) =>
      theme[name] === undefined ? token : JSON.stringify(theme[name]),
    ),
  );
}

/** A text over a wider copy of it in the ground's colour, so that lines do not run through its letters. */
export function haloText(mark: Spec, rest: Spec): Spec[] {
  const halo = { color: '@ground', stroke: '@ground', strokeWidth: 4, strokeJoin: 'round' };
  return [halo, {}].map((over) => ({ ...rest, mark: { type: 'text', ...mark, ...over } }));
}

export const SANS = 'Inter, "Segoe UI", system-ui, -apple-system, "Helvetica Neue", Arial, sans-serif';

/** What all charts have in common: quiet axes, no frame, room to read. */
export const CHART_CONFIG: Spec = {
  background: 'transparent',
  font: SANS,
  padding: 2,
  view: { stroke: null },
  axis: {
    labelColor: '@muted',
    titleColor: '@muted',
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    gridColor: '@rule',
    domainColor: '@muted',
    tickColor: '@muted',
    labelPadding: 6,
    titlePadding: 10,
  },
  axisY: { domain: false, ticks: false },
  text: { color: '@ink', fontSize: 12 },
  title: {
    color: '@ink',
    fontSize: 16,
    subtitleColor: '@muted',
    subtitleFontSize: 12,
    anchor: 'start',
    offset: 14,
  },
  legend: { labelColor: '@ink', titleColor: '@muted', labelFontSize: 12 },
};
