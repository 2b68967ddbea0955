// <klatch-room>: a whole call as one element. Lobby, call, and the page after it, on top of
// the SDK; attributes `room` (with the secret, name.secret, where it is sealed), `name`, `api` and `lang`,
// properties `room` and `media`, methods join() and leave(). Any number of them fit on one page.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { joinRoom, makeLink, parseLink, randomSecret, runsElsewhere, KlatchProblem, Media } from '../klatch/index.js';
import { define } from './define.js';
import { Part } from './part.js';
import { findApi } from './find-api.js';
import { tidyName } from './name.js';
import { loadChoices, saveChoices } from './remember.js';
import { loadTexts, problemText } from './strings.js';
import { theme } from './theme.css.js';
import { roomStyle } from './klatch-room.css.js';
import './call.js';
import './card.js';
import './lobby.js';

/** @typedef {import('../klatch/index.js').Room} Room */
/** @typedef {import('./strings.js').Texts} Texts */
/** @typedef {'lobby' | 'joining' | 'call' | 'ended'} Phase */

/** Codes of problems that a device or the leave to use it would cure. */
const ABOUT_DEVICES = ['permission-denied', 'no-device', 'device-busy', 'device-lost', 'insecure-context'];

/**
 * Dispatches 'joined', 'left' (detail: {reason}), 'unread' (detail: {count}) and 'link-changed' when it has
 * made a sealed link of an open one; they don't bubble.
 * @extends {Part<{}>}
 */
export class KlatchRoom extends Part {
  /** @override */
  static styles = [theme, roomStyle];
  static observedAttributes = ['room', 'name', 'api', 'lang'];

  /** The room while in the call. @type {Room | null} */
  room = null;
  /** Microphone and camera, from the lobby on. */
  media = new Media();
  /** The address of the page that finds what is wrong with the host, where there is one. @type {string | null} */
  doctor = null;

  /** @type {Phase} */
  #phase = 'lobby';
  /** Nothing is drawn before they are loaded. @type {Texts | null} */
  #t = null;
  #choices = loadChoices();
  /** @type {KlatchProblem[]} */
  #deviceProblems = [];
  /** @type {KlatchProblem | null} */
  #joinProblem = null;
  #asking = false;
  /** Whether a call in this room runs in another tab, as far as the lobby knows. */
  #elsewhere = false;
  /** As it was written: the attribute's, else the remembered one, until somebody types. */
  #name = this.#choices.name;
  /** Why the call ended. */
  #reason = 'left';
  /** @type {AbortController | null} */
  #joining = null;

  constructor() {
    super();
    this.props = {};
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#speak();
    this.media.on('change', () => this.update(), { signal: this.life });
    this.media.on('problem', ({ detail }) => this.#deviceProblem(detail), { signal: this.life });
    this.#openMedia();
    void this.#lookAround();
    // The other tab's call may have begun or ended meanwhile.
    document.addEventListener('visibilitychange', () => this.#lookAround(), { signal: this.life });
    window.addEventListener('focus', () => this.#lookAround(), { signal: this.life });
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#close();
  }

  /** @param {string} attribute @param {string | null} before @param {string | null} now */
  attributeChangedCallback(attribute, before, now) {
    if (attribute === 'room' && before !== now && before !== null) this.#changeRoom();
    if (attribute === 'name' && now !== null) this.#name = now;
    if (attribute === 'lang' && before !== now && this.isConnected) void this.#speak();
    this.update();
  }

  /** The name to join with. */
  get name() {
    return tidyName(this.#name);
  }

  /** The address that brings others here. */
  get link() {
    return new URL(makeLink(this.#roomName, this.#secret), location.href).href;
  }

  get #roomName() {
    return this.#address.split('.')[0] ?? '';
  }

  /** A sealed room's. */
  get #secret() {
    return parseLink(this.#address).secret;
  }

  get #address() {
    return this.getAttribute('room') ?? '';
  }

  /**
   * Join the room of the attribute with the devices that are open.
   * @param {{takeOver?: boolean}} [choice] where a call in this room runs in another tab: whether
   *   to go on with that one here, or to be another person; who doesn't say is asked in the lobby
   * @returns {Promise<Room>} rejects with the KlatchProblem that the lobby shows
   */
  async join({ takeOver } = {}) {
    if (this.room) return this.room;
    const joining = new AbortController();
    this.#joining?.abort();
    this.#joining = joining;
    this.#joinProblem = null;
    this.#phase = 'joining';
    this.update();
    try {
      const api = await this.#findApi();
      const undecided = takeOver === undefined && await runsElsewhere({ api, room: this.#roomName });
      if (joining.signal.aborted) throw new KlatchProblem('aborted');
      if (undecided) throw new KlatchProblem('in-another-tab');
      const room = await joinRoom({
        api, room: this.#address, name: this.name, media: this.media, signal: joining.signal, takeOver,
      });
      if (joining.signal.aborted) {
        room.destroy();
        throw new KlatchProblem('aborted');
      }
      this.#enter(room);
      return room;
    } catch (error) {
      if (this.#joining === joining) this.#refused(error);
      throw error;
    } finally {
      if (this.#joining === joining) this.#joining = null;
    }
  }

  /** Hang up, or give up joining. */
  leave() {
    if (this.#joining) {
      this.#joining.abort();
      this.#joining = null;
      this.#phase = 'lobby';
      this.update();
    }
    this.room?.destroy();
  }

  /** @override @returns {unknown} */
  view() {
    const t = this.#t;
    if (t === null) return nothing;
    switch (this.#phase) {
      case 'call': return this.#callView(t);
      case 'ended': return this.#endedView(t);
      default: return this.#lobbyView(t);
    }
  }

  /** The language of the attribute, else the first of the person's that there is. */
  async #speak() {
    const wanted = this.getAttribute('lang');
    const texts = await loadTexts(wanted ? [wanted] : navigator.languages);
    if (wanted !== this.getAttribute('lang')) return;
    this.#t = texts;
    this.update();
  }

  /** @param {Texts} t */
  #lobbyView(t) {
    const props = {
      t, room: this.#roomName, name: this.#name, joining: this.#phase === 'joining', asking: this.#asking,
      deviceProblems: this.#deviceProblems, joinProblem: this.#joinProblem, media: this.media,
      elsewhere: this.#elsewhere, sealed: this.#secret !== null, sealable: Boolean(crypto.subtle),
      speaker: this.#choices.speakerId, api: () => this.#findApi(),
      doctor: this.doctor,
    };
    return html`<klatch-lobby lang=${t.language} dir=${t.direction} .props=${props} @join-wanted=${this.#wanted} @join-cancelled=${this.leave}
      @name-written=${this.#named} @seal-wanted=${this.#seal} @devices-wanted=${this.#openMedia} @device-chosen=${this.#chose}
      @toggle-mic=${() => this.#toggle('mic')} @toggle-cam=${() => this.#toggle('cam')}></klatch-lobby>`;
  }

  /** @param {Texts} t */
  #callView(t) {
    if (!this.room) return nothing;
    const props = {
      t, room: this.room, media: this.media, link: this.link, owner: this, choices: this.#choices,
    };
    return html`<klatch-call lang=${t.language} dir=${t.direction} .props=${props} @hang-up=${this.leave} @device-chosen=${this.#chose} @rename=${this.#named}
      @unread=${(/** @type {CustomEvent} */ event) => this.#tellUnread(event.detail.count)}
      @choice=${this.#chosen}></klatch-call>`;
  }

  /** @param {Texts} t */
  #endedView(t) {
    const action = t(this.#reason === 'taken-over' ? 'ended.back' : 'ended.again');
    return html`<klatch-card lang=${t.language} dir=${t.direction} .props=${{ ...endedText(t, this.#reason), action }}
      @act=${this.#again}></klatch-card>`;
  }

  /** @param {Room} room */
  #enter(room) {
    this.room = room;
    room.budget.quality = this.#choices.quality;
    this.#phase = 'call';
    room.on('left', ({ detail }) => this.#ended(detail.reason), { once: true });
    this.update();
    this.dispatchEvent(new CustomEvent('joined'));
  }

  /** @param {unknown} error */
  #refused(error) {
    this.#phase = 'lobby';
    const problem = error instanceof KlatchProblem ? error : new KlatchProblem('other', { cause: error });
    this.#elsewhere = problem.code === 'in-another-tab';
    this.#joinProblem = problem.code === 'aborted' || this.#elsewhere ? null : problem;
    this.update();
  }

  /** @param {number} count */
  #tellUnread(count) {
    this.dispatchEvent(new CustomEvent('unread', { detail: { count } }));
  }

  /** The call is over, by oneself or by the room. @param {string} reason */
  #ended(reason) {
    this.room = null;
    this.#tellUnread(0);
    this.media.close();
    this.#reason = reason;
    this.#phase = 'ended';
    this.update();
    this.dispatchEvent(new CustomEvent('left', { detail: { reason } }));
  }

  /** Out of the call and back to the lobby's beginning. */
  #close() {
    this.leave();
    this.media.close();
    this.#phase = 'lobby';
    this.#joinProblem = null;
  }

  /** The same room's name, in a room that only who has the new link can enter. */
  #seal() {
    this.setAttribute('room', makeLink(this.#roomName, randomSecret()).slice(1));
    this.dispatchEvent(new CustomEvent('link-changed'));
  }

  #changeRoom() {
    this.#close();
    this.#elsewhere = false;
    if (!this.isConnected) return;
    this.#openMedia();
    void this.#lookAround();
  }

  /** Whether the lobby has to ask what to do about a call in another tab. */
  async #lookAround() {
    const room = this.#roomName;
    if (this.#phase !== 'lobby' || document.hidden) return;
    let elsewhere = await runsElsewhere({ room });
    // Only then is it worth a request to learn which API it has to be at.
    if (elsewhere) elsewhere = await this.#findApi().then((api) => runsElsewhere({ api, room }), () => false);
    if (room !== this.#roomName || elsewhere === this.#elsewhere) return;
    this.#elsewhere = elsewhere;
    this.update();
  }

  async #findApi() {
    const told = this.getAttribute('api');
    return told === null ? findApi(document.baseURI) : new URL(told, document.baseURI).href;
  }

  async #again() {
    this.#phase = 'joining';
    this.update();
    await this.#openMedia();
    await this.#joinQuietly(this.#reason === 'taken-over' ? { takeOver: true } : {});
  }

  /** @param {CustomEvent<{takeOver?: boolean}>} event */
  async #wanted(event) {
    await this.#joinQuietly(event.detail);
  }

  /** @param {{takeOver?: boolean}} choice */
  async #joinQuietly(choice) {
    await this.join(choice).catch(() => {});
  }

  async #openMedia() {
    const { mic, cam, micId, camId } = this.#choices;
    this.#deviceProblems = [];
    this.#process(this.#choices);
    if (!mic && !cam) return;
    this.#asking = true;
    this.update();
    await this.media.open({ audio: mic && (micId || true), video: cam && (camId || true) });
    this.#asking = false;
    this.update();
  }

  /** The same about microphone and camera is one problem, about both. @param {KlatchProblem} problem */
  #deviceProblem(problem) {
    if (!ABOUT_DEVICES.includes(problem.code)) return;
    const { code } = problem;
    const same = this.#deviceProblems.find((one) => one.code === code);
    const merged = same && same.kind !== problem.kind ? new KlatchProblem(code, { kind: 'both' }) : problem;
    this.#deviceProblems = [...this.#deviceProblems.filter((one) => one !== same), merged];
    this.update();
  }

  /** @param {'mic' | 'cam'} kind */
  async #toggle(kind) {
    this.#deviceProblems = [];
    if (kind === 'mic') await this.media.setMic(!this.media.mic);
    else await this.media.setCam(!this.media.cam);
    this.#remember({ mic: this.media.mic, cam: this.media.cam });
    this.update();
  }

  /** @param {CustomEvent<{name: string}>} event */
  #named(event) {
    this.#name = event.detail.name;
    this.#remember({ name: this.name });
  }

  /** @param {CustomEvent<Partial<import('./remember.js').Choices>>} event */
  #chosen(event) {
    this.#remember(event.detail);
    this.#process(event.detail);
    this.update();
  }

  /** What is done to sound and picture. @param {Partial<import('./remember.js').Choices>} choices */
  #process({ echo, noise, blur }) {
    const sound = { ...(echo === undefined ? {} : { echoCancellation: echo }), ...(noise === undefined ? {} : { noiseSuppression: noise }) };
    if (Object.keys(sound).length > 0) void this.media.setSound(sound);
    if (blur !== undefined) void this.media.setBlur(blur);
  }

  /** @param {CustomEvent<{mic?: string, cam?: string, speaker?: string}>} event */
  async #chose(event) {
    const { mic, cam, speaker } = event.detail;
    if (speaker !== undefined) this.#remember({ speakerId: speaker });
    this.update();
    if (mic !== undefined) this.#remember({ micId: mic });
    if (cam !== undefined) this.#remember({ camId: cam });
    await this.media.use(event.detail);
  }

  /** @param {Partial<import('./remember.js').Choices>} changed */
  #remember(changed) {
    this.#choices = { ...this.#choices, ...changed };
    saveChoices(this.#choices);
  }
}

/**
 * Why the call is over, in words.
 * @param {import('./strings.js').Texts} t
 * @param {string} reason left, kicked, closed, taken-over, or the code of what went wrong
 */
function endedText(t, reason) {
  switch (reason) {
    case 'left': return { title: t('ended.left'), more: t('ended.left.more') };
    case 'taken-over': return { title: t('ended.takenOver'), more: t('ended.takenOver.more') };
    case 'kicked': return problemText(t, { code: 'kicked' });
    case 'closed': return problemText(t, { code: 'room-closed' });
    default: return problemText(t, { code: reason });
  }
}

define('klatch-room', KlatchRoom);
