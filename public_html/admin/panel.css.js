import uplotText from '../vendor/uplot/uplot.css.js';
import { css } from '../ui/css.js';

export const uplotStyle = css`${uplotText}`;

export const panelStyle = css`
:host { color: var(--text); line-height: 1.5; }
h1:focus { outline: none; }
h1 { font-size: 1.75rem; line-height: 1.2; }
h2 { font-size: 1.125rem; line-height: 1.3; }
h3 { font-size: 1rem; }
.top { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; justify-content: space-between; margin-block-end: 1rem; }
.lead { color: var(--muted); max-inline-size: 60ch; }
form { display: grid; gap: .9rem; justify-items: start; max-inline-size: 34rem; margin-block-start: 1rem; }
form .field { inline-size: 100%; }
.notice { margin-block-end: 1rem; padding: .7rem 1rem; border-radius: .8rem; background: var(--warn-soft); color: var(--warn-text); font-weight: 600; }
.notice:empty { display: none; }
.notice.done { background: var(--accent-soft); color: var(--text); }
.plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); margin-block: 1rem 1.5rem; }
figure, .room { display: grid; align-content: start; gap: .4rem; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--surface); min-inline-size: 0; }
.now { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0; font-size: .875rem; }
.now div { display: flex; gap: .4rem; }
.now dt { color: var(--muted); }
.now dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.plot { min-inline-size: 0; overflow: hidden; }
.plot .uplot { inline-size: 100%; }
.u-legend { font-size: .8125rem; }
.codes { font-size: .875rem; color: var(--muted); }
.rooms { display: grid; gap: .8rem; margin-block-start: .75rem; }
.room header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }
.room h3 { overflow-wrap: anywhere; min-inline-size: 0; }
.facts { color: var(--muted); font-size: .875rem; }
.person { display: flex; flex-wrap: wrap; gap: .3rem .9rem; align-items: center; justify-content: space-between; padding-block: .35rem; border-block-start: 1px solid var(--line); }
.who { display: grid; min-inline-size: 0; overflow-wrap: anywhere; }
.who .id { font: .8125rem/1.5 ui-monospace, monospace; color: var(--muted); }
.button.small { min-block-size: 2.75rem; padding: .25rem .9rem; font-size: .875rem; }
dialog {
  inline-size: min(30rem, calc(100vi - 1rem)); padding: 1.25rem; border: 1px solid var(--line); border-radius: 1.25rem;
  background: var(--surface); color: var(--text); box-shadow: var(--shadow);
}
dialog::backdrop { background: rgb(10 8 6 / .5); }
dialog h2 { overflow-wrap: anywhere; }
.question { display: grid; gap: .9rem; }
.answers { display: flex; flex-wrap: wrap; gap: .6rem; justify-content: flex-end; }
.button.danger { background: var(--danger); border-color: var(--danger); color: var(--on-danger); }
.button.danger:hover { background: var(--danger-strong); }
.check { display: flex; gap: .6rem; align-items: flex-start; min-block-size: 2.75rem; }
.check input { inline-size: 1.25rem; block-size: 1.25rem; margin: .15rem 0 0; accent-color: var(--accent); flex: none; }
`;
