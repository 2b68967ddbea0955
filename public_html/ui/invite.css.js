import { css } from './css.js';

export const inviteStyle = css`
:host { inline-size: 100%; block-size: 100%; container-type: size; }
section {
  inline-size: 100%; block-size: 100%; padding: 1rem; border-radius: 1rem; overflow: hidden;
  border: 2px dashed var(--line); display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: .75rem; text-align: center;
}
h2 { font-size: 1.25rem; line-height: 1.25; text-wrap: balance; }
.more { color: var(--muted); max-inline-size: 34ch; text-wrap: pretty; }
input {
  inline-size: 100%; max-inline-size: 24rem; min-block-size: 2.75rem; padding: .3rem .8rem;
  border-radius: .7rem; border: 1px solid var(--edge); background: var(--surface); color: var(--text);
  text-align: center; text-overflow: ellipsis;
}
@container (max-height: 14rem) {
  .more { display: none; }
  section { gap: .5rem; padding: .5rem; }
  h2 { font-size: 1.0625rem; }
}
@container (max-height: 9.5rem) { input { display: none; } }
@container (max-height: 6rem) { h2 { display: none; } }
`;
