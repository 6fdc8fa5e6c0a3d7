import type { VmListView } from '../../server/views.ts';
import { read } from '../api.ts';
import { type Child, h, swap } from '../dom.ts';
import { money, percent, RESOURCE_NAMES } from '../format.ts';
import type { Page } from '../page.ts';
import { empty, heading, scrolling, useBar, vmLink } from '../parts.ts';

type Vm = VmListView['vms'][number];
type Resource = Vm['resources'][number]['resource'];
const PAGE = 50;
const KEY =
  'Each bar: used (dark, at the left) of allocated (tinted, at the right); the upright line is what the owner asked for.';

interface Column {
  readonly key: string;
  readonly label: string;
  readonly number?: boolean;
  readonly order: (vm: Vm) => string | number;
  readonly cell: (vm: Vm) => Child;
}

const rowOf = (vm: Vm, resource: Resource) => vm.resources.find((row) => row.resource === resource);
const pressure = (vm: Vm) => Math.max(0, ...vm.resources.map((row) => row.pressure ?? 0));

function columnsOf(vms: readonly Vm[]): Column[] {
  const managed = (['cpu', 'memory', 'diskIo', 'network'] as const).filter((r) =>
    vms.some((vm) => rowOf(vm, r)),
  );
  return [
    { key: 'vm', label: 'VM', order: (vm) => vm.vmId, cell: (vm) => vmLink(vm.vmId) },
    {
      key: 'owner',
      label: 'Application, user',
      order: (vm) => `${vm.applicationId} ${vm.userId}`,
      cell: (vm) => [vm.applicationId, h('span', { class: 'note under' }, vm.userId)],
    },
    {
      key: 'state',
      label: 'State',
      order: pressure,
      cell: (vm) =>
        vm.starved.length > 0
          ? [
              h(
                'span',
                { class: 'mark bad' },
                `short of ${vm.starved.map((r) => RESOURCE_NAMES[r]).join(', ')}`,
              ),
              h('span', { class: 'note under' }, `${percent(pressure(vm))} held back`),
            ]
          : h('span', { class: 'mark' }, 'well served'),
    },
    ...managed.map((resource) => ({
      key: resource,
      label: RESOURCE_NAMES[resource],
      order: (vm: Vm) => rowOf(vm, resource)?.allocation ?? -1,
      cell: (vm: Vm) => useBar(rowOf(vm, resource)),
    })),
    {
      key: 'cost',
      label: 'Cost per hour',
      number: true,
      order: (vm) => vm.cost.perHour,
      cell: (vm) => money(vm.cost.perHour, vm.cost.currency),
    },
  ];
}

/** Every VM in a table that can be searched and sorted. */
export function vmsPage(): Page {
  let vms: readonly Vm[] = [];
  let sortKey = 'vm';
  let descending = false;
  let shown = PAGE;
  const search = h('input', { type: 'search', id: 'vm-search', oninput: () => draw() });
  const count = h('span', { class: 'note', 'aria-live': 'polite' });
  const table = h('div');
  const element = h(
    'div',
    {},
    heading('VMs', 'The VMs that are tagged or listed for Foresize, as they were at the last tick.'),
    h('div', { class: 'bar' }, h('label', { for: 'vm-search' }, 'Find'), search, count),
    table,
  );

  function draw(): void {
    const wanted = search.value.trim().toLowerCase();
    const hits = vms.filter((vm) =>
      `${vm.vmId} ${vm.applicationId} ${vm.userId}`.toLowerCase().includes(wanted),
    );
    const columns = columnsOf(vms);
    const by = columns.find(({ key }) => key === sortKey) ?? columns[0]!;
    const sorted = hits.toSorted((a, b) => compare(by.order(a), by.order(b)) * (descending ? -1 : 1));
    count.textContent = `${hits.length} of ${vms.length} VMs`;
    if (vms.length === 0) {
      const why =
        'Tag a domain or list it in the mapping file, as docs/live.md says; it appears with the next tick.';
      swap(table, empty('No VM is managed', why));
      return;
    }
    if (hits.length === 0) {
      swap(table, empty('Nothing found', 'No VM, application or user has this in its name.'));
      return;
    }
    const head = columns.map(({ key, label, number }) =>
      h(
        'th',
        {
          scope: 'col',
          class: number ? 'number' : undefined,
          'aria-sort': key === sortKey ? (descending ? 'descending' : 'ascending') : undefined,
        },
        h('button', { 'data-key': `sort-${key}`, onclick: () => sortBy(key) }, label),
      ),
    );
    const rows = sorted.slice(0, shown).map((vm) =>
      h(
        'tr',
        {},
        columns.map(({ key, number, cell }) =>
          key === 'vm'
            ? h('th', { scope: 'row', class: 'nowrap' }, cell(vm))
            : h('td', { class: number ? 'number' : undefined }, cell(vm)),
        ),
      ),
    );
    swap(
      table,
      h('p', { class: 'note' }, KEY),
      scrolling('VMs', h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows))),
      sorted.length > shown &&
        h(
          'p',
          {},
          h(
            'button',
            { 'data-key': 'more', onclick: more },
            `Show ${Math.min(PAGE, sorted.length - shown)} more`,
          ),
        ),
    );
  }

  function sortBy(key: string): void {
    descending = key === sortKey ? !descending : key !== 'vm' && key !== 'owner';
    sortKey = key;
    draw();
  }

  function more(): void {
    shown += PAGE;
    draw();
  }

  return {
    title: 'VMs',
    element,
    update: async () => {
      ({ vms } = await read<VmListView>('/vms'));
      draw();
    },
  };
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number'
    ? a - b
    : String(a).localeCompare(String(b), 'en', { numeric: true });
}
