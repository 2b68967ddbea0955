// The admin page: finds the API beside it and hands over to the panel.
import { findApi } from '../ui/find-api.js';
import { isFramedByAnother } from '../ui/framed.js';
import './panel.js';

const place = /** @type {HTMLElement} */ (document.getElementById('admin'));

/** Asked anew when the owner tries again: a server that was away may be back. */
const findHere = () => findApi(new URL('.', document.baseURI).href);

if (isFramedByAnother()) {
  /** @type {HTMLElement} */ (document.getElementById('note')).textContent = 'This page can’t be shown inside another site. Open it in a window of its own.';
} else {
  const panel = /** @type {import('./panel.js').KlatchAdmin} */ (document.createElement('klatch-admin'));
  panel.props = { findApi: findHere };
  place.replaceChildren(panel);
}
