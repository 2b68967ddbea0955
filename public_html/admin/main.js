// The admin page: finds the API beside it and hands over to the panel.
import { findApi } from '../ui/find-api.js';
import './panel.js';

const place = /** @type {HTMLElement} */ (document.getElementById('admin'));

/** Asked anew when the owner tries again: a server that was away may be back. */
const findHere = () => findApi(new URL('.', document.baseURI).href);

const panel = /** @type {import('./panel.js').KlatchAdmin} */ (document.createElement('klatch-admin'));
panel.props = { findApi: findHere };
place.replaceChildren(panel);
