// The page's pictograms: strokes on a 24 by 24 field, in the colour of the text around them.
import { html, svg } from '../vendor/lit-html/lit-html.js';

const SLASH = svg`<path d="M4 3.5 20.5 20"/>`;

const shapes = {
  mic: svg`<rect x="9" y="3" width="6" height="11" rx="3"/>
    <path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21"/>`,
  'mic-off': svg`<path d="M15 10.5V6a3 3 0 0 0-5.6-1.5M9 8.5V11a3 3 0 0 0 4.4 2.6M5.5 11a6.5 6.5 0 0 0
    10.6 5M18.5 11a6.5 6.5 0 0 1-.5 2.5M12 17.5V21"/>${SLASH}`,
  camera: svg`<rect x="2.5" y="6" width="13" height="12" rx="2.5"/><path d="m15.5 10.6 6-3.6v10l-6-3.6"/>`,
  'camera-off': svg`<path d="M10.5 6H13a2.5 2.5 0 0 1 2.5 2.5v2.1l6-3.6v10l-2.5-1.5M15.3 16.5A2.5 2.5 0 0 1
    13 18H5a2.5 2.5 0 0 1-2.5-2.5v-7A2.5 2.5 0 0 1 5 6h.7"/>${SLASH}`,
  'hang-up': svg`<path d="M3 14.4c0-6.2 18-6.2 18 0v1.4a1.3 1.3 0 0 1-1.5 1.3l-3.1-.5a1.3 1.3 0 0 1-1.1-1.3v-1.9
    a12 12 0 0 0-6.6 0v1.9a1.3 1.3 0 0 1-1.1 1.3l-3.1.5A1.3 1.3 0 0 1 3 15.8z"/>`,
  chat: svg`<path d="M4.5 4.5h15a2 2 0 0 1 2 2V15a2 2 0 0 1-2 2h-8L7 20.8V17H4.5a2 2 0 0 1-2-2V6.5a2 2 0 0 1 2-2z"/>
    <path d="M7.5 9h9M7.5 12.5h6"/>`,
  link: svg`<path d="M10 13.8a4 4 0 0 0 5.8.2l3-3a4 4 0 0 0-5.6-5.7l-1.3 1.2"/>
    <path d="M14 10.2a4 4 0 0 0-5.8-.2l-3 3a4 4 0 0 0 5.6 5.7l1.3-1.2"/>`,
  check: svg`<path d="m5 12.5 4.5 4.5L19.5 7"/>`,
  'lock-open': svg`<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8.2 10.5V7.3a3.8 3.8 0 0 1 7.4-1.2"/>`,
  pause: svg`<path d="M8.5 5.5v13M15.5 5.5v13"/>`,
  lock: svg`<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8.2 10.5V7.3a3.8 3.8 0 0 1 7.6 0v3.2"/>`,
  door: svg`<path d="M6.5 20.5v-17h11v17M3.5 20.5h17M14 12.2v.1"/>`,
  host: svg`<path d="m12 4 2.4 5 5.4.7-4 3.8 1 5.5-4.8-2.7L7.2 19l1-5.5-4-3.8 5.4-.7z"/>`,
  leave: svg`<path d="M10 4H5v16h5M10 12h10M16.5 8l3.8 4-3.8 4"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  clip: svg`<path d="m20 11.2-8.3 8.3a5 5 0 0 1-7.1-7.1l8.6-8.6a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4
    l7.9-7.9"/>`,
  file: svg`<path d="M6 2.8h8l5 5v13.4H6zM13.5 3v5.3H19"/>`,
  save: svg`<path d="M12 3.5v11M7.5 10.5l4.5 4.5 4.5-4.5M4.5 20h15"/>`,
  alone: svg`<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8.2 10.5V7.3a3.8 3.8 0 0 1 7.6 0v3.2"/>`,
  send: svg`<path d="M20.5 3.5 3.5 9.8l7 3.7 3.7 7zM20.5 3.5l-10 10"/>`,
  sliders: svg`<path d="M3.5 7.5H12M18 7.5h2.5M3.5 16.5H6M12 16.5h8.5"/>
    <circle cx="15" cy="7.5" r="2.7"/><circle cx="9" cy="16.5" r="2.7"/>`,
  warning: svg`<path d="M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.1"/>`,
  tabs: svg`<rect x="3" y="7.5" width="13.5" height="12" rx="2"/><path d="M7.5 7.5v-2a2 2 0 0 1 2-2H19a2 2 0 0 1 2 2V14
    a2 2 0 0 1-2 2h-2.5"/>`,
  sound: svg`<path d="M4 9.5v5h3.5l4.5 4v-13l-4.5 4zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11"/>`,
  'sound-off': svg`<path d="M4 9.5v5h3.5l4.5 4v-13l-4.5 4zM16 9.5l5 5M21 9.5l-5 5"/>`,
  screen: svg`<rect x="2.5" y="4" width="19" height="12.5" rx="2"/><path d="M8.5 20.5h7M12 16.5v4M12 13V7.8M9.5 10 12 7.5l2.5 2.5"/>`,
  'screen-off': svg`<rect x="2.5" y="4" width="19" height="12.5" rx="2"/><path d="M8.5 20.5h7M12 16.5v4M9.8 8l4.4 4.4M14.2 8l-4.4 4.4"/>`,
  more: svg`<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3"/>`,
  pin: svg`<path d="M9 3.5h6l-.8 6 3.3 3.5h-11l3.3-3.5zM12 13v7.5"/>`,
  'full-screen': svg`<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>`,
  window: svg`<rect x="2.5" y="4.5" width="19" height="15" rx="2"/><rect x="12" y="11.5" width="6.5" height="5" rx="1"/>`,
  pulse: svg`<path d="M2.5 12.5h4.2l2.6-7 4.2 13 2.8-8 1.4 2h3.8"/>`,
  person: svg`<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.2l3.3 2"/>`,
  'no-path': svg`<path d="M9 15.5 7.6 17a3.8 3.8 0 0 1-5.4-5.4L4 9.8M15 8.5 16.4 7a3.8 3.8 0 0 1 5.4 5.4L20 14.2
    M9 4.5V7M4.5 5.5 6.3 7.3M15 19.5V17M19.5 18.5l-1.8-1.8"/>`,
};

/** @typedef {keyof typeof shapes} IconName */

/**
 * Always beside a text or in a control with a name, so it says nothing itself.
 * @param {IconName} name
 */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shapes[name]}</svg>`;
}
