import uplotText from '../vendor/uplot/uplot.css.js';
import { css } from './css.js';

export const uplotStyle = css`${uplotText}`;

export const statsStyle = css`
dialog {
  inline-size: min(54rem, calc(100vi - 1rem)); max-block-size: calc(100dvh - 1rem); padding: 0; overflow: auto;
  border: 1px solid var(--line); border-radius: 1.25rem; background: var(--surface); color: var(--text);
  box-shadow: var(--shadow);
}
dialog::backdrop { background: rgb(10 8 6 / .5); }
.inside { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding: .5rem 1.25rem 1.25rem; }
header { display: flex; align-items: center; justify-content: space-between; margin-inline-end: -.75rem; }
h2 { font-size: 1.125rem; }
h3 { font-size: 1rem; }
.plain {
  display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; border: 0;
  border-radius: 50%; background: none;
}
.plain:hover { background: var(--raised); }
.verdict { font-weight: 600; }
.mesh { inline-size: min(26rem, 100%); margin-inline: auto; }
.mesh svg { display: block; inline-size: 100%; max-block-size: 70dvh; }
.mesh text { font-size: 16px; fill: var(--text); text-anchor: middle; direction: ltr; }
.mesh .left { text-anchor: end; }
.mesh .right { text-anchor: start; }
.mesh circle { fill: var(--accent-soft); stroke: var(--edge); }
.mesh .self circle { fill: var(--accent); }
.mesh line { stroke: var(--good); stroke-width: 3; }
.mesh line.fair { stroke: var(--pending); stroke-dasharray: 9 5; }
.mesh line.bad { stroke: var(--bad); stroke-dasharray: 3 5; }
.mesh line.none { stroke: var(--gone); stroke-width: 1.5; stroke-dasharray: 1 7; }
.wide { overflow-x: auto; }
table { inline-size: 100%; border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3rem .5rem; border-block-end: 1px solid var(--line); text-align: start; }
summary { padding-block: .6rem; font-weight: 600; cursor: pointer; }
details { border-block-start: 1px solid var(--line); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(8.5rem, 45%), 1fr)); gap: .5rem 1rem; margin: 0; }
dt { font-size: .8125rem; color: var(--muted); }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.plot { margin-block: .6rem; }
.plot .uplot { inline-size: 100%; }
.u-legend { font-size: .8125rem; }
textarea {
  inline-size: 100%; min-block-size: 8rem; padding: .5rem; border: 1px solid var(--edge); border-radius: .7rem;
  background: var(--ground); font: .8125rem/1.4 ui-monospace, monospace;
}
`;
