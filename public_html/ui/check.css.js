import { css } from './css.js';

export const checkStyle = css`
dialog { inline-size: min(34rem, calc(100vi - 1.5rem)); }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; }
figure { display: grid; gap: .3rem; min-inline-size: 0; }
video { inline-size: 100%; max-block-size: 26dvh; aspect-ratio: 4 / 3; object-fit: cover; border-radius: .8rem; background: var(--tile); }
figcaption { font-size: .875rem; font-weight: 600; color: var(--muted); text-align: center; }
.steps { display: grid; gap: .55rem; }
.steps li { display: flex; gap: .6rem; align-items: start; line-height: 1.4; min-block-size: 1.5rem; }
.steps .icon { inline-size: 1.3em; block-size: 1.3em; color: var(--muted); }
.steps [data-state="good"] .icon { color: var(--accent); }
.steps [data-state="bad"] { font-weight: 600; }
.steps [data-state="bad"] .icon { color: var(--danger); }
.hang-up {
  position: sticky; inset-block-end: .75rem; background: var(--danger); border-color: var(--danger);
  color: var(--on-danger);
}
.hang-up:hover { background: var(--danger-strong); }
`;
