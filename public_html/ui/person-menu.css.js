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

.about { display: flex; align-items: center; gap: .5rem; color: var(--muted); font-size: .9375rem; line-height: 1.4; }
.about .icon { flex: none; inline-size: 1.2em; block-size: 1.2em; }
.hosting { padding-block-start: 1rem; border-block-start: 1px solid var(--line); }
.sure { display: grid; gap: .8rem; padding: .8rem; border-radius: .8rem; background: var(--raised); line-height: 1.4; }
.danger { background: var(--danger); border-color: var(--danger); color: var(--on-danger); }
.danger:hover { background: var(--danger); }
.acts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)); gap: .6rem; }
.acts .button { padding-inline: .8rem; }
.acts .button[aria-pressed="true"] { background: var(--accent-soft); border-color: var(--accent); }
`;
