import { css } from './css.js';

export const roomSettingsStyle = css`
h3 { font-size: 1rem; }
h3:focus { outline: none; }
form { display: grid; grid-template-columns: 1fr auto; gap: .5rem; align-items: end; margin-block: .4rem; }
form .field { display: grid; grid-column: 1 / -1; align-items: stretch; }
form .field input { inline-size: 100%; block-size: auto; }
form .more { grid-column: 1 / -1; }
ul { display: grid; gap: .3rem; line-height: 1.4; }
`;
