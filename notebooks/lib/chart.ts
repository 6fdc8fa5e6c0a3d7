import { display } from 'tslab';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';

const CONFIG = {
  background: 'white',
  view: { stroke: null },
  axis: {
    grid: true,
    gridColor: '#eee',
    domain: false,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  title: { anchor: 'start', fontSize: 13, fontWeight: 'normal' },
  legend: { titleFontWeight: 'normal' },
} as const;

/** Draws a Vega-Lite chart as SVG, which shows wherever the notebook is read, GitHub and nbconvert among them. */
export async function chart(spec: object): Promise<void> {
  const whole = { $schema: 'https://vega.github.io/schema/vega-lite/v5.json', ...spec } as never;
  const compiled = vegaLite.compile(whole, { config: CONFIG as never }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
  display.svg(await view.toSVG());
  view.finalize();
}
