import { css } from './css.js';

export const personMenuStyle = css`
.volume { display: grid; gap: .3rem; }
.volume > span { display: flex; justify-content: space-between; font-size: .875rem; font-weight: 600; color: var(--muted); }
.volume input { inline-size: 100%; min-block-size: 2rem; margin: 0; accent-color: var(--accent); }
.acts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)); gap: .6rem; }
.acts .button { padding-inline: .8rem; }
.acts .button[aria-pressed="true"] { background: var(--accent-soft); border-color: var(--accent); }
`;
