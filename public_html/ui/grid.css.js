import { css } from './css.js';

export const gridStyle = css`
:host {
  inline-size: 100%; block-size: 100%; min-inline-size: 0; min-block-size: 0; overflow: hidden; position: relative;
}
li {
  position: absolute; left: var(--left); top: var(--top); inline-size: var(--width); block-size: var(--height);
}
`;
