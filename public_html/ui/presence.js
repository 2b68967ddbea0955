// What a call needs as long as it lasts, besides its picture: who speaks, the microphone's
// helpers, words about devices that come and go, the screen kept on, and waking up after sleep.
import { stayAwake } from './awake.js';
import { holdToTalk, MutedEar } from './talk.js';

const LOOK_MS = 250;

/**
 * @typedef {object} PresenceOptions
 * @property {import('../klatch/index.js').Room} room
 * @property {import('../klatch/index.js').Media} media
 * @property {HTMLElement} owner whose keyboard it is
 * @property {AbortSignal} life
 * @property {import('./stage.js').Stage} stage
 * @property {() => import('./strings.js').Texts} texts
 * @property {() => import('./remember.js').Choices} choices
 * @property {() => void} changed something is to be drawn
 * @property {(notice: Omit<import('./notices.js').Notice, 'id'>) => void} tell
 * @property {() => unknown} wake play what the browser stopped while the page slept
 */

export class Presence {
  #on;
  #ear;
  #sharing = false;
  /** @type {Map<object, boolean>} who shares their screen, as last seen */
  #screens = new Map();
  /** Whether the space bar had the microphone when we last looked. */
  #talksByKey = false;
  /** Of all devices that there were. @type {Set<string> | null} */
  #known = null;

  /** @param {PresenceOptions} options */
  constructor(options) {
    this.#on = options;
    const { texts, tell } = options;
    this.#ear = new MutedEar(() => tell({ kind: 'problem', title: texts()('notice.muted'), more: texts()('notice.muted.more') }));
  }

  start() {
    const { room, media, owner, life, choices } = this.#on;
    stayAwake(life);
    const mic = (/** @type {boolean} */ on) => void room.microphone(on);
    holdToTalk({ owner, life, wanted: () => choices().holdToTalk, mic });
    const looking = setInterval(() => this.#look(), LOOK_MS);
    life.addEventListener('abort', () => {
      clearInterval(looking);
      this.#ear.stop();
    }, { once: true });
    media.on('change', () => this.#mediaChanged(), { signal: life });
    media.on('switched', ({ detail }) => this.#switched(detail), { signal: life });
    media.on('devices', () => this.#plugged(), { signal: life });
    room.on('peer-updated', ({ detail }) => this.#shared(detail.person), { signal: life });
    for (const person of room.people) this.#screens.set(person, person.screen !== null);
    this.#sharing = room.self.screen;
    this.#mediaChanged();
    void this.#plugged();
    this.#followSleep();
  }

  #look() {
    const { stage, room, choices, changed } = this.#on;
    const { spotlight, holdToTalk: byKey } = choices();
    if (byKey !== this.#talksByKey) this.#mediaChanged();
    const heard = stage.speakers.hear(room.levels);
    if (heard || spotlight !== stage.spotlight) changed();
    stage.spotlight = spotlight;
  }

  #mediaChanged() {
    const { room, media, texts, tell, choices } = this.#on;
    const track = media.stream.getAudioTracks()[0] ?? null;
    const muted = track !== null && !track.enabled && track.readyState === 'live' && !choices().holdToTalk;
    this.#ear.listenTo(muted ? track : null);
    const sharing = media.screen.live;
    if (this.#sharing && !sharing) tell({ kind: 'quiet', title: texts()('notice.sharingEnded') });
    this.#sharing = sharing;
    const byKey = choices().holdToTalk;
    const begins = byKey && !this.#talksByKey;
    this.#talksByKey = byKey;
    if (begins) void room.microphone(false);
  }

  /** @param {import('../klatch/media.js').Switched} detail */
  #switched({ kind, label, back }) {
    const { texts, tell } = this.#on;
    const t = texts();
    const device = t(`device.word.${kind}`);
    const name = label || device;
    const title = back ? t('notice.back', { label: name }) : t('notice.switched', { device, label: name });
    tell({ kind: back ? 'quiet' : 'problem', title });
  }

  async #plugged() {
    const { media, texts, tell } = this.#on;
    const { mics, cams } = await media.devices();
    const found = [...mics, ...cams];
    const before = this.#known;
    this.#known = new Set(found.map(({ id }) => id));
    // Browsers list the one that the system prefers twice.
    const fresh = found.filter(({ id }) => before && !before.has(id) && id !== 'default' && id !== 'communications');
    const used = media.stream.getTracks().map((track) => track.getSettings().deviceId);
    for (const label of new Set(fresh.filter(({ id }) => !used.includes(id)).map((device) => device.label))) {
      tell({ kind: 'quiet', title: texts()('notice.plugged', { label }) });
    }
  }

  /** @param {import('../klatch/index.js').Person} person */
  #shared(person) {
    const { texts, tell } = this.#on;
    const t = texts();
    const now = person.screen !== null;
    if (now && !this.#screens.get(person)) {
      tell({ kind: 'quiet', title: t('notice.sharing', { name: person.name || t('person.guest') }) });
    }
    this.#screens.set(person, now);
  }

  /** Phones stop what plays and close connections while the page sleeps. */
  #followSleep() {
    const { room, life, wake } = this.#on;
    const back = () => {
      if (document.hidden) return;
      room.wake();
      void wake();
    };
    document.addEventListener('visibilitychange', back, { signal: life });
    window.addEventListener('pageshow', back, { signal: life });
  }
}
