import { css } from './css.js';

export const devicesStyle = css`
:host { display: grid; gap: .75rem; min-inline-size: 0; }
:host([data-none]) { display: none; }
:host([data-beside]) { grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); }
`;
