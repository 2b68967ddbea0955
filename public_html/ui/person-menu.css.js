import { css } from './css.js';

export const personMenuStyle = css`
.volume { display: grid; gap: .3rem; }
.volume > span { display: flex; justify-content: space-between; font-size: .875rem; font-weight: 600; color: var(--muted); }
.volume input { inline-size: 100%; min-block-size: 2rem; margin: 0; accent-color: var(--accent); }
.path {
  display: flex; align-items: start; gap: .6rem; padding: .6rem .8rem; border-radius: .8rem;
  background: var(--warn-soft); color: var(--warn-text); font-size: .9375rem; line-height: 1.4;
}
.path .icon { flex: none; inline-size: 1.3em; block-size: 1.3em; }
.acts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)); gap: .6rem; }
.acts .button { padding-inline: .8rem; }
.acts .button[aria-pressed="true"] { background: var(--accent-soft); border-color: var(--accent); }
`;
