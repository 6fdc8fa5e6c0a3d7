import type { Starvation } from '../compare/align.ts';
import type { Comparison, RunResult } from '../result.ts';
import { planeSpec } from './charts/plane.ts';
import { leadStarvation } from './finding.ts';
import { formatCount, formatTime } from './format.ts';
import { asComparison } from './measures.ts';
import { CHART_CONFIG, DARK, LIGHT, themed } from './theme.ts';

export interface PictureOptions {
  theme?: 'light' | 'dark';
  /** Violations of one resource or of any; what the reports lead with by default. */
  of?: Starvation;
}

/**
 * Cost against violations as an SVG picture that stands by itself, for a README. Vega draws it without a
 * browser; the same result gives the same bytes.
 */
export async function planeSvg(
  result: Comparison | RunResult,
  options: PictureOptions = {},
): Promise<string> {
  // Loaded when first asked for: most commands draw nothing.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const comparison = asComparison(result);
  const theme = options.theme === 'dark' ? DARK : LIGHT;
  const spec = planeSpec(comparison, options.of ?? leadStarvation(comparison), {
    width: 760,
    height: 400,
    fluid: false,
  });
  const run = comparison.runs[0];
  const span = run
    ? `${formatCount(run.fleet.vms)} VMs, ${formatTime(run.span.from)} to ${formatTime(run.span.to)} UTC. `
    : '';
  const complete = {
    ...spec,
    background: '@ground',
    padding: 18,
    title: { text: comparison.name, subtitle: `${span}Simulated cost, not money saved.` },
    config: CHART_CONFIG,
  };
  const compiled = vegaLite.compile(themed(complete, theme) as never).spec;
  // Numbers of clip paths count up over the process; a picture must not depend on the ones before it.
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
