// The page around one <klatch-room>: the room comes from the address's fragment, a new
// random one when there is none, sealed where the browser can seal.
import { KlatchProblem, makeLink, parseLink, randomRoom, randomSecret } from '../klatch/index.js';
import { KlatchCard } from '../ui/card.js';
import { isFramedByAnother } from '../ui/framed.js';
import { KlatchRoom } from '../ui/klatch-room.js';
import { loadTexts, problemText } from '../ui/strings.js';

/** @param {HTMLElement} page where the room goes */
async function start(page) {
  const t = await loadTexts(navigator.languages);
  document.documentElement.lang = t.language;
  document.documentElement.dir = t.direction;
  if (isFramedByAnother()) {
    showFramed(page, t);
    return;
  }
  const follow = () => {
    const { room, secret, problem } = parseLink(location.hash);
    const refusal = problem ?? (secret === null || crypto.subtle ? null : new KlatchProblem('sealed-insecure'));
    if (refusal) showRefusal(page, t, refusal);
    else if (room === '') openNewRoom(follow);
    else showRoom(page, t, room, secret);
  };
  window.addEventListener('hashchange', follow);
  follow();
}

/** embed.html is for that, and asks who may. @param {HTMLElement} page @param {import('../ui/strings.js').Texts} t */
function showFramed(page, t) {
  const card = new KlatchCard();
  card.props = { title: t('app.framed'), more: t('app.framed.more'), action: t('embed.open') };
  card.addEventListener('act', () => window.open(location.href, '_blank', 'noopener'));
  page.replaceChildren(card);
}

/** @param {() => void} follow */
function openNewRoom(follow) {
  history.replaceState(null, '', newLink());
  follow();
}

/** An insecure page (http) gets no cryptography: an open room is what it can have. */
function newLink() {
  return makeLink(randomRoom(), crypto.subtle ? randomSecret() : null);
}

/**
 * @param {HTMLElement} page @param {import('../ui/strings.js').Texts} t
 * @param {string} room @param {string | null} secret
 */
function showRoom(page, t, room, secret) {
  const shown = page.firstElementChild;
  const element = shown instanceof KlatchRoom ? shown : new KlatchRoom();
  element.sealable = true;
  element.setAttribute('room', makeLink(room, secret).slice(1));
  if (element !== shown) {
    element.doctor = new URL('doctor.html', document.baseURI).href;
    element.addEventListener('link-changed', () => history.replaceState(null, '', new URL(element.link).hash));
    element.addEventListener('unread', (event) => {
      const { count } = /** @type {CustomEvent} */ (event).detail;
      const name = parseLink(`#${element.getAttribute('room')}`).room;
      if (element.isConnected) document.title = t(count ? 'app.title.unread' : 'app.title', { room: name, count });
    });
    page.replaceChildren(element);
  }
  document.title = t('app.title', { room });
}

/**
 * @param {HTMLElement} page @param {import('../ui/strings.js').Texts} t @param {KlatchProblem} problem
 */
function showRefusal(page, t, problem) {
  const card = new KlatchCard();
  card.props = { ...problemText(t, problem), action: t('app.newRoom') };
  card.addEventListener('act', () => {
    location.hash = newLink();
  });
  page.replaceChildren(card);
  document.title = 'Klatch';
}

/**
 * Some browsers lay the keyboard over the page instead of making the page smaller; then the
 * part that can be seen is the page's height.
 * @param {HTMLElement} page @param {VisualViewport} seen
 */
function followKeyboard(page, seen) {
  const measure = () => {
    if (seen.scale > 1) return;
    page.style.setProperty('--page-height', `${Math.round(seen.height)}px`);
    window.scrollTo(0, 0);
  };
  seen.addEventListener('resize', measure);
}

const page = document.getElementById('page');
if (page) {
  void start(page);
  if (window.visualViewport) followKeyboard(page, window.visualViewport);
}
