import type { Held, PageSeries } from '../series.ts';
import type { Look, Spec, Theme } from '../theme.ts';

/** What the page's script is given. */
export interface PageData {
  themes: { light: Theme; dark: Theme };
  config: Spec;
  /** By the name in `data-chart`; the cost plane by name, resource and width. */
  charts: Record<string, Spec>;
  looks: Look[];
  series: PageSeries;
  units: Record<string, string>;
}

/** The little of the browser that `reportClient` uses: the project is compiled without the DOM's types. */
interface Element {
  id: string;
  value: string;
  textContent: string;
  clientWidth: number;
  dataset: Record<string, string | undefined>;
  querySelector(selector: string): Element | null;
  replaceChildren(...children: Element[]): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: () => void): void;
}
interface View {
  data(name: string, rows: unknown[]): View;
  signal(name: string, value: unknown): View;
  runAsync(): Promise<View>;
  finalize(): void;
}
/** The rows and signals of a chart whose data depends on the pickers. */
interface Shown {
  datasets?: Record<string, unknown[]>;
  signals?: Record<string, unknown>;
}
declare const document: {
  documentElement: Element;
  getElementById(id: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
  createElement(name: string): Element;
};
declare const matchMedia: (query: string) => {
  matches: boolean;
  addEventListener: Element['addEventListener'];
};
declare const vegaEmbed: (element: Element, spec: Spec, options: Spec) => Promise<{ view: View }>;

/**
 * Draws the charts and answers the pickers. Its source travels inside the page, so it uses nothing but its
 * argument and the browser.
 */
export function reportClient(page: PageData): Promise<void> {
  const darkness = matchMedia('(prefers-color-scheme: dark)');
  const views = new Map<string, View>();
  const theme = () => (darkness.matches ? page.themes.dark : page.themes.light);
  const pick = (id: string) => document.getElementById(`pick-${id}`)?.value ?? '';
  const write = (id: string, text: string) => {
    const element = document.getElementById(id);
    if (element) element.textContent = text;
  };

  function dressed(spec: Spec): Spec {
    const colors = theme();
    const text = JSON.stringify(spec).replace(/"@(\w+)"/g, (token, name: string) =>
      colors[name] === undefined ? token : JSON.stringify(colors[name]),
    );
    return JSON.parse(text) as Spec;
  }

  /** Draws `element`'s chart anew, with what the pickers ask for. */
  async function draw(element: Element): Promise<void> {
    const name = element.dataset['chart']!;
    const width = element.clientWidth < 560 ? 'narrow' : 'wide';
    const spec = name === 'plane' ? page.charts[`plane-${pick('plane-of')}-${width}`] : page.charts[name];
    if (!spec) return;
    const { datasets = {}, signals = {} } = shown(name);
    const params = Object.entries(signals).map(([signal, value]) => ({ name: signal, value }));
    views.get(name)?.finalize();
    const { view } = await vegaEmbed(
      element,
      { ...dressed(spec), datasets, params },
      {
        mode: 'vega-lite',
        renderer: 'svg',
        actions: false,
        config: dressed(page.config),
        tooltip: { theme: darkness.matches ? 'dark' : 'light' },
        // Warnings only where the data is known: a policy without a forecast leaves series empty, and that is right.
        logLevel: Object.keys(datasets).length > 0 ? 1 : 2,
      },
    );
    views.set(name, view);
    // The label of the element around it says what the chart shows; its parts would be read out one by one.
    element.querySelector('svg')?.setAttribute('aria-hidden', 'true');
  }

  /** Puts what the pickers ask for into a chart that is drawn. */
  async function update(name: string): Promise<void> {
    const view = views.get(name);
    if (!view) return;
    const { datasets = {}, signals = {} } = shown(name);
    for (const [key, rows] of Object.entries(datasets)) view.data(key, rows);
    for (const [key, value] of Object.entries(signals)) view.signal(key, value);
    await view.runAsync();
  }

  function shown(name: string): Shown {
    if (name === 'forecast' || name === 'allocation') return vmShown();
    if (name === 'fleet') return fleetShown();
    if (name === 'starved') return linesShown(page.series.fleet.starved);
    if (name === 'resizes') return linesShown(page.series.fleet.resizes);
    return {};
  }

  /** Values of a held series, one an index. */
  function unfold(series: Held | null, length: number): (number | null)[] {
    if (!series) return new Array<null>(length).fill(null);
    if (Array.isArray(series)) return series;
    const values: (number | null)[] = [];
    series.i.forEach((from, k) => {
      const to = series.i[k + 1] ?? length;
      for (let n = from; n < to; n++) values.push(series.v[k]!);
    });
    return values;
  }

  /** A unit in which the largest value has few digits. */
  function unitOf(resource: string, most: number): { unit: string; per: number } {
    const unit = page.units[resource] ?? '';
    const ladder =
      unit === 'MiB' ? ['MiB', 'GiB', 'TiB'] : unit === 'bytes/s' ? ['B/s', 'kB/s', 'MB/s', 'GB/s'] : [unit];
    const base = unit === 'MiB' ? 1024 : 1000;
    let per = 1;
    let k = 0;
    while (k + 1 < ladder.length && most / per >= base) {
      per *= base;
      k++;
    }
    return { unit: ladder[k]!, per };
  }

  const most = (x: readonly (number | null)[]) => x.reduce<number>((m, v) => Math.max(m, v ?? 0), 0);
  const percent = (x: number) =>
    `${x >= 0.1 || x === 0 ? Math.round(x * 1000) / 10 : Math.round(x * 10000) / 100} %`;

  /** The chosen VM, policy, resource and day; writes what goes beside the charts. */
  function vmShown(): Shown {
    const vm = page.series.vms.find((v) => v.id === pick('vm'));
    const resource = pick('vm-resource') as keyof NonNullable<typeof vm>['resources'];
    const policy = pick('vm-policy');
    const data = vm?.resources[resource];
    const series = data?.policies[policy];
    if (!vm || !data || !series) {
      write('vm-note', 'Nothing was recorded of this VM under this policy.');
      for (const id of ['vm-unit', 'vm-unit-2', 'vm-forecast-note', 'vm-allocation-note']) write(id, '');
      return { datasets: { rows: [] } };
    }
    const length = data.t.length;
    const allocation = unfold(series.allocation, length);
    const median = unfold(series.median, length);
    const upper = unfold(series.upper, length);
    const { unit, per } = unitOf(resource, Math.max(most(data.demand), most(allocation)));
    const day = pick('vm-day');
    const scaled = (x: number | null | undefined) => (x === null || x === undefined ? null : x / per);
    const rows = data.t
      .map((seconds, i) => ({
        t: data.from + seconds * 1000,
        demand: scaled(data.demand[i]),
        allocation: scaled(allocation[i]),
        median: scaled(median[i]),
        upper: scaled(upper[i]),
      }))
      .filter((row) => day === 'all' || new Date(row.t).toISOString().startsWith(day));
    write('vm-unit', unit);
    write('vm-unit-2', unit);
    const whole = data.every === 1;
    const bounded = rows.filter((row) => row.upper !== null);
    const held = bounded.filter((row) => row.demand! <= row.upper!).length / bounded.length;
    const short = rows.filter((row) => row.demand! > row.allocation!).length / rows.length;
    const quantile = Math.round(vm.quantile * 1000) / 10;
    write(
      'vm-forecast-note',
      bounded.length === 0
        ? `${policy} makes no forecast.`
        : `Band: from the median (dashed) to the ${quantile} % quantile.${whole ? ` Demand stayed within its upper edge in ${percent(held)} of the ticks shown.` : ''}`,
    );
    write(
      'vm-allocation-note',
      whole ? `${policy} left the VM short in ${percent(short)} of the ticks shown.` : '',
    );
    const thinned = whole ? '' : ` One tick in ${data.every} is drawn, the one of the highest demand.`;
    write('vm-note', `${vm.id} of ${vm.application}, for ${vm.user}. Times are UTC.${thinned}`);
    const color = page.looks.find((l) => l.policy === policy)!.color.slice(1);
    return { datasets: { rows }, signals: { tone: theme()[color] } };
  }

  function fleetShown(): Shown {
    const { fleet } = page.series;
    const resource = pick('fleet-resource') as keyof typeof fleet.demand;
    const demand = fleet.demand[resource] ?? [];
    const allocations = page.looks.map((l) => fleet.allocation[l.policy]?.[resource] ?? []);
    const { unit, per } = unitOf(resource, Math.max(most(demand), ...allocations.map(most)));
    write('fleet-unit', unit);
    const rows = page.looks.flatMap((l, k) =>
      allocations[k]!.map((y, i) => ({ t: fleet.t[i]!, policy: l.policy, y: y / per })),
    );
    return {
      datasets: { rows, demand: demand.map((y, i) => ({ t: fleet.t[i]!, demand: y / per })) },
      signals: { focus: pick('fleet-policy') },
    };
  }

  function linesShown(of: Record<string, number[]>): Shown {
    const rows = page.looks.flatMap((l) =>
      (of[l.policy] ?? []).map((y, i) => ({ t: page.series.fleet.coarse[i]!, policy: l.policy, y })),
    );
    return { datasets: { rows }, signals: { focus: pick('fleet-policy') } };
  }

  /** The days that were recorded of the chosen VM. */
  function offerDays(): void {
    const select = document.getElementById('pick-vm-day');
    const vm = page.series.vms.find((v) => v.id === pick('vm'));
    const data = vm && Object.values(vm.resources)[0];
    if (!select || !data) return;
    const days = [...new Set(data.t.map((s) => new Date(data.from + s * 1000).toISOString().slice(0, 10)))];
    const chosen = days.includes(select.value) ? select.value : (days[1] ?? days[0]!);
    select.replaceChildren(
      ...[...days, 'all'].map((day) => {
        const option = document.createElement('option');
        option.setAttribute('value', day);
        option.textContent = day === 'all' ? 'all recorded' : day;
        return option;
      }),
    );
    select.value = chosen;
  }

  async function drawAll(): Promise<void> {
    for (const element of document.querySelectorAll('[data-chart]')) await draw(element);
    document.documentElement.dataset['drawn'] = 'yes';
  }

  const on = (id: string, act: () => void) =>
    document.getElementById(`pick-${id}`)?.addEventListener('change', act);
  const updateAll = async (names: readonly string[]) => {
    for (const name of names) await update(name);
  };
  const plane = [...document.querySelectorAll('[data-chart="plane"]')][0];
  on('plane-of', () => void (plane && draw(plane)));
  on('vm', offerDays);
  for (const id of ['vm', 'vm-resource', 'vm-policy', 'vm-day'])
    on(id, () => void updateAll(['forecast', 'allocation']));
  for (const id of ['fleet-resource', 'fleet-policy'])
    on(id, () => void updateAll(['fleet', 'starved', 'resizes']));
  darkness.addEventListener('change', () => void drawAll());
  offerDays();
  return drawAll();
}
