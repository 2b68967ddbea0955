import { css } from './css.js';

export const settingsStyle = css`
dialog {
  inline-size: min(26rem, calc(100vi - 1.5rem)); max-block-size: calc(100dvh - 1.5rem); padding: 0;
  border: 1px solid var(--line); border-radius: 1.25rem; background: var(--surface); color: var(--text);
  box-shadow: var(--shadow);
}
dialog::backdrop { background: rgb(10 8 6 / .5); }
form { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding: .5rem 1.25rem 1.25rem; }
header { display: flex; align-items: center; justify-content: space-between; margin-inline-end: -.75rem; }
h2 { font-size: 1.125rem; min-inline-size: 0; overflow-wrap: anywhere; }
.plain {
  flex: none; display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; border: 0;
  border-radius: 50%; background: none;
}
.plain:hover { background: var(--raised); }
`;
