import { css } from './css.js';

export const noticesStyle = css`
:host { pointer-events: none; }
.stack, .stack > div { display: grid; justify-items: center; gap: .4rem; }
.notice {
  display: flex; align-items: start; gap: .6rem; max-inline-size: min(26rem, 100%); padding: .5rem 1rem;
  border-radius: 1.2rem; background: var(--surface); color: var(--text); border: 1px solid var(--line);
  box-shadow: var(--shadow); font-size: .9375rem; line-height: 1.35; animation: come .18s ease-out;
}
.notice > div { min-inline-size: 0; }
.title {
  overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3;
  overflow: hidden;
}
.problem {
  background: var(--warn-soft); color: var(--warn-text); border-color: transparent; pointer-events: auto;
  padding-inline-end: .4rem;
}
.problem .title { font-weight: 600; }
.problem button {
  flex: none; display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; margin: -.4rem 0;
  border: 0; border-radius: 50%; background: none;
}
@keyframes come { from { opacity: 0; translate: 0 -.5rem; } }
`;
