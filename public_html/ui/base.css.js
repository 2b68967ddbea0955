// What every part shares: boxes, buttons, fields, focus, motion. Colours come from the
// custom properties of theme.css.js, which reach all parts through inheritance.
import { css } from './css.js';

export const base = css`
*, *::before, *::after { box-sizing: border-box; }
:host { display: block; }
:host([hidden]), [hidden] { display: none !important; }
h1, h2, h3, p, ul, ol, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }

button, input, select, textarea { font: inherit; color: inherit; letter-spacing: inherit; }
button { cursor: pointer; touch-action: manipulation; -webkit-tap-highlight-color: transparent; }
button:disabled { cursor: default; opacity: .6; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }

.icon {
  inline-size: 1.5em; block-size: 1.5em; flex: none; fill: none; stroke: currentColor;
  stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round;
}

.button {
  display: inline-flex; align-items: center; justify-content: center; gap: .5em;
  min-block-size: 2.75rem; padding: .4rem 1.1rem; border: 1px solid var(--line); border-radius: 999px;
  background: var(--surface); color: var(--text); font-weight: 600; text-align: center;
  transition: background-color .15s, border-color .15s;
}
.button:hover { background: var(--raised); }
.button .icon { inline-size: 1.25em; block-size: 1.25em; }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }

.field { display: grid; gap: .3rem; min-inline-size: 0; }
.field > span { font-size: .875rem; font-weight: 600; color: var(--muted); }
.field input, .field select {
  inline-size: 100%; min-inline-size: 0; min-block-size: 2.75rem; padding: .4rem .8rem;
  border: 1px solid var(--edge); border-radius: .7rem; background: var(--surface);
  text-overflow: ellipsis;
}
::placeholder { color: var(--muted); opacity: 1; }

.hidden-text {
  position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}

@media (forced-colors: active) {
  .button { border: 1px solid ButtonText; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; scroll-behavior: auto !important; }
}
`;
