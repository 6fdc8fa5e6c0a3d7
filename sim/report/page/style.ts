import { DARK, LIGHT, SANS, type Theme } from '../theme.ts';

/** The page's style sheet: the colours of theme.ts as variables, one column, tables that scroll by themselves. */
export function styleSheet(): string {
  return `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.6 ${SANS}; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--surface); z-index: 2; }
main, header, footer, .contents { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
h1, h2 { font-family: "Source Serif 4", "Iowan Old Style", Charter, Georgia, "Times New Roman", serif; line-height: 1.15; font-weight: 650; letter-spacing: -.01em; text-wrap: balance; }
h1 { font-size: clamp(2rem, 5vw, 3.1rem); margin: .35rem 0 .8rem; }
h2 { font-size: clamp(1.45rem, 3vw, 1.9rem); margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .2rem; font-weight: 650; }
p { margin: 0 0 1rem; max-width: 44rem; }
a { color: inherit; text-decoration-color: var(--muted); text-underline-offset: .2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--c0); outline-offset: 2px; border-radius: 2px; }
small, .note, figcaption, caption { color: var(--muted); font-size: .875rem; line-height: 1.5; }
.chart + figcaption { margin-top: .5rem; }
.note { margin: .3rem 0 .9rem; }

header { padding-top: 40px; }
.kicker { font-size: .8rem; font-weight: 650; letter-spacing: .09em; text-transform: uppercase; color: var(--muted); margin: 0; }
.kicker::before { content: ""; display: block; width: 56px; height: 5px; background: var(--ink); margin-bottom: 14px; }
.standfirst { font-size: 1.2rem; line-height: 1.5; color: var(--muted); max-width: 46rem; }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.8rem; margin: 1.2rem 0; padding: .8rem 0; border-block: 1px solid var(--rule); font-size: .875rem; }
.facts div { display: flex; gap: .45rem; min-width: 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; font-weight: 550; overflow-wrap: anywhere; }
.findings { margin: 1.4rem 0; padding: 0; list-style: none; max-width: 46rem; font-size: 1.075rem; }
.findings li { padding-left: 1.3rem; margin-bottom: .6rem; position: relative; }
.findings li::before { content: ""; position: absolute; left: 0; top: .62em; width: .55em; height: 2px; background: var(--ink); }
.notice { border-left: 4px solid var(--bad); background: color-mix(in srgb, var(--bad) 8%, transparent); padding: .8rem 1.1rem; margin: 1.6rem 0; max-width: 46rem; }
.notice p { margin: 0; }
@media (min-width: 900px) { .lead { display: grid; grid-template-columns: minmax(0, 7fr) minmax(0, 4fr); gap: 0 56px; align-items: start; } }
.contents { margin-top: 1.5rem; font-size: .9rem; }
.contents ul { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: 0; list-style: none; }

section { padding: 44px 0 10px; margin-top: 34px; border-top: 1px solid var(--rule); }
figure { margin: 1.2rem 0; }
.chart { width: 100%; min-height: 60px; }
.chart.vega-embed { display: block; padding: 0; }
.chart svg { max-width: 100%; overflow: visible; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 8px 40px; }
.panels.small { grid-template-columns: repeat(auto-fill, minmax(min(230px, 100%), 1fr)); gap: 8px 28px; }
.panels figure { margin: .6rem 0; min-width: 0; }
.panels h3 { margin: .6rem 0 0; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.2rem; list-style: none; margin: .6rem 0; padding: 0; font-size: .875rem; }
.key li { display: flex; align-items: center; gap: .45rem; }
.dot { display: inline-block; width: .72em; height: .72em; border-radius: 50%; flex: none; background: currentColor; }
.pickers { display: flex; flex-wrap: wrap; gap: .6rem 1.1rem; margin: 1rem 0 .4rem; padding: 0; border: 0; min-width: 0; }
.pickers label { font-size: .8rem; color: var(--muted); display: grid; gap: .15rem; min-width: 0; }
select { font: inherit; font-size: .95rem; color: var(--ink); background: var(--surface); border: 1px solid var(--muted); border-radius: 6px; padding: .35rem .5rem; max-width: 100%; }

.scroll { overflow-x: auto; margin: 1rem 0; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .6rem; }
caption span { display: block; position: sticky; left: 0; width: fit-content; max-width: min(52rem, calc(100vw - 34px)); }
th, td { padding: .38rem .6rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; position: sticky; left: 0; background: var(--ground); }
tbody th { font-weight: 550; }
thead th { white-space: normal; min-width: 5.2rem; vertical-align: bottom; color: var(--muted); font-weight: 550; border-bottom: 2px solid var(--ink); }
thead .group { text-align: center; border-bottom: 1px solid var(--rule); }
th.span { padding-top: 1.3rem; font-weight: 700; border-bottom: 1px solid var(--ink); }
th .unit { font-weight: 400; color: var(--muted); font-size: .8rem; margin-left: .35em; }
td.hash { white-space: normal; min-width: 17rem; }
tbody th[scope=row] { white-space: normal; min-width: 9rem; }
td .delta { display: block; color: var(--muted); font-size: .78rem; line-height: 1.35; }
td.best { font-weight: 700; }
td.best .delta { font-weight: 400; }
td.best .mark { color: var(--c2); }
td.oracle, th.oracle, tr.oracle td, tr.oracle th { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
pre { background: var(--surface); border: 1px solid var(--rule); border-radius: 6px; padding: 1rem; overflow: auto; font: .82rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; max-height: 32rem; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .85em; overflow-wrap: anywhere; }
details summary { cursor: pointer; font-weight: 550; padding: .3rem 0; }
footer { padding-block: 40px 60px; color: var(--muted); font-size: .85rem; }
#vg-tooltip-element { font-family: inherit; font-size: .82rem; background: var(--surface); color: var(--ink); border: 1px solid var(--rule); border-radius: 6px; box-shadow: 0 4px 18px rgb(0 0 0 / .18); padding: .6rem .8rem; max-width: min(26rem, 90vw); }
#vg-tooltip-element table { width: auto; }
#vg-tooltip-element td { border: 0; padding: .1rem .3rem; white-space: normal; background: none; position: static; }
#vg-tooltip-element td.key { display: table-cell; color: var(--muted); }
#vg-tooltip-element td.value { text-align: left; max-width: 16rem; }
@media (max-width: 560px) {
  main, header, footer, .contents { padding-inline: 16px; }
  .standfirst { font-size: 1.075rem; }
  .pickers label { flex: 1 1 40%; }
  .pickers select { width: 100%; }
}
@media print { .pickers, .contents, .skip { display: none; } section { break-inside: avoid; } pre { max-height: none; } }
`;
}

function variables(theme: Theme): string {
  return Object.entries(theme)
    .map(([name, color]) => `--${name}: ${color};`)
    .join(' ');
}
