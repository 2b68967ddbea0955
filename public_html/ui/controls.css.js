import { css } from './css.js';

export const controlsStyle = css`
:host { container-type: inline-size; }
:host([data-rail]) { container-type: normal; }
.bar {
  display: flex; justify-content: center; gap: clamp(.15rem, 1.5cqi, 1rem); padding: .5rem .35rem .6rem;
}
.control {
  display: grid; justify-items: center; align-content: start; gap: .2rem; flex: 0 1 5.5rem;
  min-inline-size: 0; padding: .15rem; border: 0; border-radius: .9rem; background: none; color: var(--text);
}
.face {
  position: relative; display: grid; place-items: center; inline-size: 3.25rem; block-size: 3.25rem;
  border-radius: 50%; background: var(--raised); border: 1px solid var(--line);
  transition: background-color .15s, color .15s;
}
.control:hover .face { border-color: var(--edge); }
.control[aria-pressed="false"] .face {
  background: var(--danger-soft); color: var(--danger-text); border-color: transparent;
}
.control.share .face, .control.share[aria-pressed="false"] .face { background: var(--raised); color: var(--text); border-color: var(--line); }
.control.share[aria-pressed="true"] .face, .control[aria-expanded="true"] .face {
  background: var(--accent); color: var(--on-accent); border-color: transparent;
}
.hang-up .face {
  background: var(--danger); color: var(--on-danger); border-color: transparent;
  inline-size: min(4.5rem, 100%); min-inline-size: 3.25rem; border-radius: 999px;
}
.hang-up .icon { inline-size: 1.85em; block-size: 1.85em; }
.control.hang-up:hover .face { background: var(--danger-strong); }
.label {
  font-size: .75rem; line-height: 1.3; color: var(--muted); white-space: nowrap; max-inline-size: 100%;
  overflow: hidden; text-overflow: ellipsis;
}
.badge {
  position: absolute; inset-block-start: -.3rem; inset-inline-end: -.3rem; min-inline-size: 1.4rem;
  padding: 0 .3rem; border-radius: 999px; background: var(--danger); color: var(--on-danger);
  font-size: .8125rem; font-weight: 700; line-height: 1.4rem; text-align: center;
}
/* The room tells how much place there is: beside the grid when it is flat. */
:host([data-rail]) .bar {
  flex-direction: column; justify-content: center; block-size: 100%; gap: .25rem; padding: .25rem .5rem;
}
:host([data-low]) .bar { display: grid; grid-template-columns: auto auto; align-content: center; }
:host([data-rail]) .control { flex: 0 1 auto; padding: 0; }
:host([data-rail]) .face, :host([data-rail]) .hang-up .face { min-inline-size: 0; inline-size: 2.75rem; block-size: 2.75rem; }
:host([data-tight]:not([data-rail])) .face { inline-size: min(3.25rem, 13.5cqi); block-size: min(3.25rem, 13.5cqi); }
:host([data-tight]:not([data-rail])) .hang-up .face { inline-size: min(4.5rem, 100%); min-inline-size: min(3.25rem, 13.5cqi); }
:host([data-rail]) .label, :host([data-tight]) .label {
  position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%);
}
@media (forced-colors: active) {
  .face { border: 1px solid ButtonText; }
  .control[aria-pressed="true"] .face { border-width: 3px; }
}
`;
