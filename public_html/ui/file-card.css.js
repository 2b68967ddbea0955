import { css } from './css.js';

export const fileCardStyle = css`
:host { max-inline-size: min(100%, 34rem); inline-size: 22rem; min-inline-size: 0; }
.card {
  display: grid; gap: .5rem; padding: .7rem .8rem; border-radius: 1rem; background: var(--raised);
  border: 1px solid transparent;
}
.card[data-mine] { background: var(--accent-soft); }
.what { display: flex; gap: .65rem; align-items: center; min-inline-size: 0; }
.what .icon { inline-size: 1.9rem; block-size: 1.9rem; color: var(--muted); stroke-width: 1.5; }
.what div { min-inline-size: 0; }
.name { font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; }
.size, .state { font-size: .875rem; color: var(--muted); line-height: 1.35; }
.state { overflow-wrap: anywhere; }
.state[data-bad] { color: var(--danger-text); }
[data-mine] .size, [data-mine] .state, [data-mine] .what .icon { color: var(--text); }
img {
  display: block; max-inline-size: 100%; max-block-size: 18rem; block-size: auto; border-radius: .6rem; background: var(--ground);
}
ul { display: grid; gap: .45rem; }
progress {
  appearance: none; display: block; inline-size: 100%; block-size: .5rem; margin-block-start: .3rem; border: 0;
  border-radius: 999px; overflow: hidden; background: var(--line);
}
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
.acts { display: flex; flex-wrap: wrap; gap: .5rem; }
.button { min-block-size: 2.5rem; padding: .25rem .9rem; font-size: .9375rem; text-decoration: none; }
@media (forced-colors: active) {
  .card { border-color: CanvasText; }
  progress { border: 1px solid CanvasText; }
}
`;
