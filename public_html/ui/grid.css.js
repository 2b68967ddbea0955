import { css } from './css.js';

export const gridStyle = css`
:host {
  inline-size: 100%; block-size: 100%; min-inline-size: 0; min-block-size: 0; overflow: hidden; display: grid;
  place-items: center;
}
ul { display: flex; flex-wrap: wrap; justify-content: center; gap: 8px; inline-size: var(--across); }
li { inline-size: var(--width); block-size: var(--height); flex: none; }
`;
