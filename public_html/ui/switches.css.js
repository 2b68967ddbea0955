import { css } from './css.js';

export const switchesStyle = css`
:host { display: grid; gap: .1rem; }
label { display: flex; align-items: center; gap: .75rem; min-block-size: 2.75rem; cursor: pointer; }
input { flex: none; inline-size: 1.35rem; block-size: 1.35rem; margin: 0; accent-color: var(--accent); }
.more { display: block; font-size: .8125rem; line-height: 1.35; color: var(--muted); }
`;
