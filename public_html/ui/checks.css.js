import { css } from './css.js';

export const checksStyle = css`
.row { display: flex; flex-wrap: wrap; gap: .5rem; }
.row .button { flex: 1 1 9rem; font-size: .9375rem; padding-inline: .8rem; }
`;
