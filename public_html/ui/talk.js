// The microphone in the call: holding the space bar to talk, and a word to who speaks while
// muted.
import { isFor } from './keys.js';
import { Level } from './level.js';

/** Of the level hint's scale: a voice near the microphone, no keyboard and no fan. */
const VOICE = 0.35;
/** Spoken on for so many looks (80 ms each), it was meant to be heard. */
const LOOKS = 6;
const AGAIN_MS = 30_000;

/** What the space bar does something else in. */
const TAKES_SPACE = 'input, textarea, select, [contenteditable], [role="log"], summary, a';

/**
 * While held, the space bar turns the microphone on. Someone who goes by the keyboard presses
 * the focused button with it; on a button that was clicked it talks.
 * @param {{owner: HTMLElement, life: AbortSignal, wanted: () => boolean, mic: (on: boolean) => void}} options
 */
export function holdToTalk({ owner, life, wanted, mic }) {
  let held = false;
  /** Whether the focus went where it is by mouse or finger. (A key makes any focus a visible one.) */
  let pointed = false;
  document.addEventListener('pointerdown', () => { pointed = true; }, { signal: life, capture: true });
  const release = () => {
    if (held) mic(false);
    held = false;
  };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Tab') pointed = false;
    if (event.code !== 'Space' || !wanted() || !isFor(event, owner) || takesSpace(event, pointed)) return;
    event.preventDefault();
    if (held || event.repeat) return;
    held = true;
    mic(true);
  }, { signal: life });
  document.addEventListener('keyup', (event) => {
    if (event.code !== 'Space' || !held) return;
    event.preventDefault();
    release();
  }, { signal: life, capture: true });
  // The key may be let go in another window.
  window.addEventListener('blur', release, { signal: life });
  document.addEventListener('visibilitychange', release, { signal: life });
}

/** @param {KeyboardEvent} event @param {boolean} pointed whether a focused button was clicked */
function takesSpace(event, pointed) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return true;
  return event.composedPath().some((node) => node instanceof HTMLElement
    && (node.matches(TAKES_SPACE) || (node.matches('button') && !pointed) || node.matches('dialog')));
}

/** Listens to a muted microphone by a copy of its track; what is heard leaves the page nowhere. */
export class MutedEar {
  /** @type {MediaStreamTrack | null} */
  #muted = null;
  /** @type {MediaStreamTrack | null} */
  #copy = null;
  /** @type {Level | null} */
  #level = null;
  #looks = 0;
  #toldMs = 0;
  #tell;

  /** @param {() => void} tell somebody speaks and isn't heard */
  constructor(tell) {
    this.#tell = tell;
  }

  /** @param {MediaStreamTrack | null} track the microphone's while it is muted */
  listenTo(track) {
    if (track === this.#muted) return;
    this.stop();
    this.#muted = track;
    if (!track) return;
    this.#copy = track.clone();
    this.#copy.enabled = true;
    this.#level = new Level(new MediaStream([this.#copy]), (level) => this.#heard(level));
  }

  stop() {
    this.#level?.stop();
    this.#copy?.stop();
    this.#level = null;
    this.#copy = null;
    this.#muted = null;
    this.#looks = 0;
  }

  /** @param {number} level */
  #heard(level) {
    this.#looks = level > VOICE ? this.#looks + 1 : 0;
    if (this.#looks < LOOKS || Date.now() - this.#toldMs < AGAIN_MS) return;
    this.#toldMs = Date.now();
    this.#tell();
  }
}
