import type uPlotClass from 'uplot';
import { type Child, h, s, swap } from './dom.ts';
import { NONE, number, scaleOf, when } from './format.ts';
import { color, onTheme } from './theme.ts';

declare const uPlot: typeof uPlotClass;

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Name of a colour of the style sheet. */
  readonly color: string;
  readonly dash?: readonly number[];
  /** Holds from one tick to the next. */
  readonly stepped?: boolean;
  readonly width?: number;
  /** Fills down to the line of this index. */
  readonly bandTo?: number;
}

export interface ChartData {
  /** ms since the epoch. */
  readonly at: readonly number[];
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Where the past ends, ms since the epoch; later values are forecasts. */
  readonly now?: number;
  /** Largest value to leave room for. */
  readonly most?: number;
}

const charts = new Set<Chart>();
onTheme(() => {
  for (const chart of charts) chart.redraw();
});

/**
 * A chart over time, with a key that tells the values under the pointer, or the newest ones. Screen readers get
 * `summary` in its place; the figures themselves are in a table beside it.
 */
export class Chart {
  readonly element: HTMLElement;
  readonly #plot = h('div', { class: 'plot', role: 'img' });
  readonly #key = h('ul', { class: 'legend' });
  readonly #height: number;
  readonly #resized = new ResizeObserver(() => this.#fit());
  #data: ChartData | undefined;
  #chart: uPlotClass | undefined;

  constructor(height: number) {
    this.#height = height;
    this.element = h('div', { class: 'chart' }, this.#key, this.#plot);
    this.#resized.observe(this.#plot);
    charts.add(this);
  }

  show(data: ChartData, summary: string): void {
    this.#data = data;
    this.#plot.setAttribute('aria-label', summary);
    this.redraw();
  }

  redraw(): void {
    const data = this.#data;
    // A page that was left is never shown again.
    if (!this.element.isConnected && this.#chart) {
      this.close();
      return;
    }
    if (!data || this.#plot.clientWidth === 0) return;
    this.#chart?.destroy();
    const { at, lines } = data;
    const { unit, per } = this.#scale(data);
    const columns = lines.map((line) => line.values.map((x) => (x === null ? null : x / per)));
    this.#chart = new uPlot(
      this.#options(data, unit),
      [at.map((ms) => ms / 1000), ...columns] as uPlotClass.AlignedData,
      this.#plot,
    );
    this.#read(null);
  }

  close(): void {
    charts.delete(this);
    this.#resized.disconnect();
    this.#chart?.destroy();
    this.#chart = undefined;
  }

  #scale({ lines, unit, most = 0 }: ChartData) {
    const largest = lines.reduce(
      (m, { values }) => values.reduce<number>((n, x) => Math.max(n, x ?? 0), m),
      most,
    );
    return { ...scaleOf(unit, largest), largest };
  }

  #options(data: ChartData, unit: string): uPlotClass.Options {
    const { largest, per } = this.#scale(data);
    const axis = {
      stroke: color('muted'),
      font: '12px system-ui, sans-serif',
      grid: { stroke: color('rule'), width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.#plot.clientWidth,
      height: this.#height,
      legend: { show: false },
      cursor: { y: false, points: { size: 7 } },
      scales: { y: { range: [0, (largest / per) * 1.08 || 1] } },
      axes: [
        {
          ...axis,
          space: 70,
          size: 34,
          grid: { show: false },
          values: (_plot, splits) => splits.map(tickLabel),
        },
        {
          ...axis,
          size: 54,
          label: unit,
          labelSize: 18,
          labelFont: axis.font,
          values: (_plot, splits) => splits.map((x) => number(x)),
        },
      ],
      series: [{}, ...data.lines.map((line) => seriesOf(line))],
      bands: data.lines.flatMap(({ bandTo, color: name }, i) =>
        bandTo === undefined ? [] : [{ series: [i + 1, bandTo + 1] as [number, number], fill: faint(name) }],
      ),
      hooks: {
        setCursor: [(plot) => this.#read(plot.cursor.idx ?? null)],
        drawClear: [(plot) => shadeFuture(plot, data.now)],
      },
    };
  }

  /** Writes the values of a tick into the key. */
  #read(index: number | null): void {
    const data = this.#data!;
    const { unit, per } = this.#scale(data);
    const newest =
      data.now === undefined ? data.at.length - 1 : data.at.findLastIndex((ms) => ms <= data.now!);
    const i = index ?? newest;
    const value = (x: number | null | undefined) =>
      x === null || x === undefined ? NONE : `${number(x / per)} ${unit}`;
    const items: Child[] = data.lines.map((line) =>
      h('li', {}, swatch(line), `${line.label} `, h('strong', {}, value(line.values[i]))),
    );
    const at = data.at[i];
    swap(this.#key, items, h('li', { class: 'note' }, at === undefined ? '' : `at ${when(at)}`));
  }

  #fit(): void {
    if (!this.#chart) this.redraw();
    else if (this.#plot.clientWidth > 0)
      this.#chart.setSize({ width: this.#plot.clientWidth, height: this.#height });
  }
}

function seriesOf({ color: name, dash, stepped, width = 1.75 }: Line): uPlotClass.Series {
  return {
    stroke: color(name),
    width,
    points: { show: false },
    ...(dash && { dash: [...dash] }),
    ...(stepped && { paths: uPlot.paths.stepped!({ align: 1 }) }),
  };
}

/** What is still to come stands on another ground. */
function shadeFuture(plot: uPlotClass, now: number | undefined): void {
  if (now === undefined) return;
  const { left, top, width, height } = plot.bbox;
  const x = plot.valToPos(now / 1000, 'x', true);
  if (x >= left + width) return;
  plot.ctx.save();
  plot.ctx.fillStyle = color('sunken');
  plot.ctx.fillRect(x, top, left + width - x, height);
  plot.ctx.fillStyle = color('muted');
  plot.ctx.fillRect(x, top, 1, height);
  plot.ctx.restore();
}

function faint(name: string): string {
  return color(name).replace(/^rgb\((.*)\)$/, 'rgba($1, 0.2)');
}

function swatch({ color: name, dash, bandTo, width = 1.75 }: Line): SVGElement {
  const line = s('line', {
    x1: 0,
    x2: 26,
    y1: bandTo === undefined ? 6 : 2,
    y2: bandTo === undefined ? 6 : 2,
  });
  line.style.stroke = `var(--${name})`;
  line.style.strokeWidth = String(width);
  if (dash) line.style.strokeDasharray = dash.join(' ');
  const band = s('rect', { x: 0, y: 2, width: 26, height: 10, opacity: 0.25 });
  band.style.fill = `var(--${name})`;
  return s('svg', { viewBox: '0 0 26 12', 'aria-hidden': 'true' }, bandTo !== undefined && band, line);
}

/** The hour, and at midnight the day. */
function tickLabel(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (date.getHours() === 0 && date.getMinutes() === 0)
    return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
