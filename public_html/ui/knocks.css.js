import { css } from './css.js';

export const knocksStyle = css`
section {
  margin: 0 .5rem .5rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--accent-soft);
  color: var(--text); overflow: hidden;
}
ul { max-block-size: min(13rem, 32dvh); overflow-y: auto; }
ul:focus-visible { outline-offset: -3px; }
li { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .6rem; padding: .4rem .5rem .4rem .8rem; }
li + li { border-block-start: 1px solid var(--line); }
p { flex: 1 1 9rem; min-inline-size: 0; line-height: 1.3; overflow-wrap: anywhere; }
.decide { display: flex; gap: .5rem; margin-inline-start: auto; }
.button { padding-inline: .9rem; }
`;
