import { css } from './css.js';

export const cardStyle = css`
:host { block-size: 100%; background: var(--ground); color: var(--text); }
section {
  min-block-size: 100%; padding: 2rem 1.25rem; display: grid; place-content: center; justify-items: center;
  gap: .9rem; text-align: center;
}
h1 { font-size: clamp(1.5rem, 5vi, 2.1rem); line-height: 1.2; text-wrap: balance; }
h1:focus { outline: none; }
p { max-inline-size: 40ch; color: var(--muted); line-height: 1.5; text-wrap: balance; }
.button { margin-block-start: .75rem; min-inline-size: 11rem; min-block-size: 3.1rem; }
`;
