import { css } from './css.js';

export const roomStyle = css`
:host {
  block-size: 100%; inline-size: 100%; min-block-size: 16rem; overflow: hidden; background: var(--ground);
  color: var(--text);
  font: 400 1rem/1.5 var(--klatch-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell, sans-serif);
  -webkit-text-size-adjust: 100%; text-align: start;
}
`;
