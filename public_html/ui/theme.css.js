// The page's colours, light and dark. Every pair of text and ground has at least 4.5:1,
// edges of controls and the focus ring at least 3:1 (tests/ui measures both). A page around gives its own
// as --klatch-NAME, and chooses one of the two with the attribute `theme`.
import { css } from './css.js';

const LIGHT = {
  ground: '#f4f0ea', surface: '#fffdfa', raised: '#e9e3d9', line: '#d8d0c4', edge: '#8a8176',
  text: '#231f1b', muted: '#5c544b',
  accent: '#0b6a5a', 'accent-strong': '#085548', 'on-accent': '#ffffff', 'accent-soft': '#d6eae4',
  danger: '#b3261e', 'danger-strong': '#8f1d17', 'on-danger': '#ffffff', 'danger-soft': '#fbe2df', 'danger-text': '#8c1d18',
  'warn-soft': '#fbe8bf', 'warn-text': '#573f00',
  good: '#2c9a5e', pending: '#d18a00', bad: '#d3382e', gone: '#8f867b',
  tile: '#e2dacd', focus: '#1257c8', shadow: '0 2px 14px rgb(40 30 20 / .14)',
};
/** @type {typeof LIGHT} */
const DARK = {
  ground: '#141210', surface: '#211e1b', raised: '#312c28', line: '#3d3732', edge: '#857b70',
  text: '#f4efe8', muted: '#bbb2a7',
  accent: '#63c9b0', 'accent-strong': '#86d8c4', 'on-accent': '#05221b', 'accent-soft': '#1d3d35',
  danger: '#c9352c', 'danger-strong': '#df4b41', 'on-danger': '#ffffff', 'danger-soft': '#47201d', 'danger-text': '#ffb9b1',
  'warn-soft': '#42340f', 'warn-text': '#ffe0a0',
  good: '#4fc987', pending: '#f0b541', bad: '#ff7468', gone: '#a39a8f',
  tile: '#26221f', focus: '#8db7ff', shadow: '0 2px 16px rgb(0 0 0 / .5)',
};

/** What a page around can give, as --klatch-NAME. */
export const COLOURS = Object.freeze(Object.keys(LIGHT));

/** @param {typeof LIGHT} colours */
const declare = (colours) => Object.entries(colours)
  .map(([name, value]) => `--${name}: var(--klatch-${name}, ${value});`).join('\n  ');

export const theme = css`
:host { color-scheme: light dark; ${declare(LIGHT)} }
@media (prefers-color-scheme: dark) { :host { ${declare(DARK)} } }
:host([theme="light" i]) { color-scheme: light; ${declare(LIGHT)} }
:host([theme="dark" i]) { color-scheme: dark; ${declare(DARK)} }
`;
