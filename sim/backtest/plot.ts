import { RESOURCES, UNITS } from '../../core/model.ts';
import { CHART_CONFIG, LIGHT, type Spec, themed } from '../report/theme.ts';
import { QUANTILES } from './accuracy.ts';
import type { KeptForecast } from './backtest.ts';

/** What is drawn of a VM: actual values of intervals `from` .. and forecasts made among them. */
export interface PlotInput {
  readonly vmId: string;
  readonly model: string;
  readonly epochMs: number;
  readonly stepMs: number;
  readonly from: number;
  /** Actual usage by resource name, one value an interval. */
  readonly actual: Readonly<Record<string, readonly number[]>>;
  readonly forecasts: readonly KeptForecast[];
}

/** History, bands (q.05-.95 and median to .99) and actuals of one VM, a panel a resource. */
export function forecastPlot(input: PlotInput): Spec {
  const { epochMs, stepMs, from } = input;
  const at = (interval: number) => epochMs + (interval + 1) * stepMs;
  const panels = RESOURCES.filter((name) => input.actual[name]?.some((v) => v > 0)).map((name) => {
    const actual = input.actual[name]!.map((value, i) => ({ at: at(from + i), value }));
    const bands = input.forecasts.flatMap((forecast) =>
      (forecast.resources[name]?.[0] ?? []).map((_, h) => {
        const q = (tau: number) =>
          forecast.resources[name]![QUANTILES.indexOf(tau as (typeof QUANTILES)[number])]![h]!;
        // Step h of a forecast made at tick t is interval t + h.
        return {
          at: at(forecast.origin + h),
          origin: forecast.origin,
          low: q(0.05),
          median: q(0.5),
          high: q(0.95),
          top: q(0.99),
        };
      }),
    );
    const x = { field: 'at', type: 'temporal', title: null, scale: { type: 'utc' } };
    return {
      title: `${name}, ${UNITS[name]}`,
      width: 900,
      height: 160,
      layer: [
        {
          data: { values: bands },
          mark: { type: 'area', opacity: 0.2, color: '@c0' },
          encoding: {
            x,
            y: { field: 'low', type: 'quantitative', title: null },
            y2: { field: 'top' },
            detail: { field: 'origin' },
          },
        },
        {
          data: { values: bands },
          mark: { type: 'area', opacity: 0.3, color: '@c0' },
          encoding: {
            x,
            y: { field: 'low', type: 'quantitative' },
            y2: { field: 'high' },
            detail: { field: 'origin' },
          },
        },
        {
          data: { values: bands },
          mark: { type: 'line', color: '@c0', strokeWidth: 1.5 },
          encoding: { x, y: { field: 'median', type: 'quantitative' }, detail: { field: 'origin' } },
        },
        {
          data: { values: actual },
          mark: { type: 'line', color: '@ink', strokeWidth: 1 },
          encoding: { x, y: { field: 'value', type: 'quantitative' } },
        },
      ],
    };
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: `${input.vmId}: ${input.model}; line actual, bands 5-95 % and up to 99 %`,
    vconcat: panels,
    config: CHART_CONFIG,
  };
}

/** The picture as SVG text. */
export async function plotSvg(input: PlotInput): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const spec = themed(forecastPlot(input), LIGHT);
  const { spec: compiled } = vegaLite.compile(spec as never);
  return new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG();
}
