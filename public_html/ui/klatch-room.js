// <klatch-room>: a whole call as one element. Lobby, call, and the page after it, on top of the SDK.
// Attributes are in room-attributes.js, events in announce.js; deploy/EMBEDDING.md tells pages about both.
// Any number of them fit on one page.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { joinRoom, makeLink, parseLink, randomSecret, runsElsewhere, KlatchProblem, Media } from '../klatch/index.js';
import { define } from './define.js';
import { announce, announceRoom } from './announce.js';
import { Entry } from './entry.js';
import { findOwnApi, rememberedApi } from './find-api.js';
import { tidyName } from './name.js';
import { hidingStyle } from './part-names.js';
import { loadChoices, saveChoices } from './remember.js';
import { RoomAttributes } from './room-attributes.js';
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

export class KlatchRoom extends RoomAttributes {
  /** @override */
  static styles = [theme, roomStyle];

  /** The SDK's room while in the call. @type {Room | null} */
  call = null;
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
  /** Hides what the attribute says. */
  #hiding = new CSSStyleSheet();
  /** @type {AbortController | null} */
  #joining = null;
  #entry = new Entry(() => this.update());

  constructor() {
    super();
    this.props = {};
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#hiding];
  }

  /** @override */
  get movable() {
    return true;
  }

  /** @override */
  entered() {
    this.#hide();
    void this.#speak();
    this.media.on('change', () => this.update(), { signal: this.life });
    this.media.on('problem', ({ detail }) => this.#deviceProblem(detail), { signal: this.life });
    this.#begin();
    // The other tab's call may have begun or ended meanwhile.
    document.addEventListener('visibilitychange', () => this.#lookAround(), { signal: this.life });
    window.addEventListener('focus', () => this.#lookAround(), { signal: this.life });
  }

  /** @override */
  left() {
    this.#close();
    this.clear();
  }

  /** @override @param {string} attribute @param {string | null} before @param {string | null} now */
  attributeChangedCallback(attribute, before, now) {
    super.attributeChangedCallback(attribute, before, now);
    if (before === now) return;
    if (attribute === 'name' && now !== null) this.#name = now;
    if (attribute === 'hide') this.#hide();
    if (this.here) this.#changed(attribute);
    this.update();
  }

  /** @param {string} attribute */
  #changed(attribute) {
    if (attribute === 'room' || attribute === 'secret') this.#changeRoom();
    if (attribute === 'lang') void this.#speak();
    if (attribute === 'open' && this.open && this.#phase === 'lobby') this.#begin();
  }

  /** The address that brings others here. */
  get link() {
    if (this.givenLink !== null) return this.givenLink;
    const { room, secret } = parseLink(this.address);
    return room === '' ? location.href : new URL(makeLink(room, secret), location.href).href;
  }

  set link(value) {
    this.setAttribute('link', value);
  }

  get #roomName() {
    return parseLink(this.address).room;
  }

  /** A sealed room's. */
  get #secret() {
    return parseLink(this.address).secret;
  }

  /**
   * Join the room of the attribute with the devices that are open; after a call they are opened again.
   * @param {{takeOver?: boolean}} [choice] where a call in this room runs in another tab: whether
   *   to go on with that one here, or to be another person; who doesn't say is asked in the lobby
   * @returns {Promise<Room>} rejects with the KlatchProblem that the lobby shows
   */
  async join({ takeOver } = {}) {
    if (this.call) return this.call;
    const joining = new AbortController();
    this.#joining?.abort();
    this.#joining = joining;
    const again = this.#phase === 'ended';
    this.#joinProblem = null;
    this.#phase = 'joining';
    this.update();
    try {
      if (this.obstacle) throw this.obstacle;
      if (again) await this.#openMedia();
      const api = await this.#findApi();
      const undecided = takeOver === undefined && await runsElsewhere({ api, room: this.#roomName });
      if (joining.signal.aborted) throw new KlatchProblem('aborted');
      if (undecided) throw new KlatchProblem('in-another-tab');
      const room = await joinRoom({
        api, room: this.address, name: tidyName(this.#name), media: this.media, signal: joining.signal, takeOver,
        token: this.token || null, password: this.#entry.password || this.password || null,
        onWaiting: (waiting) => {
          announce(this, 'waiting', waiting);
          this.#entry.wait(waiting);
        },
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
      this.#entry.wait(null);
      this.#phase = 'lobby';
      this.update();
    }
    this.call?.destroy();
  }

  /** Whether microphone or camera are on, in the call or for it. */
  get muted() {
    return !this.media.mic;
  }

  mute() {
    return this.#switch('mic', false);
  }

  unmute() {
    return this.#switch('mic', true);
  }

  /** @param {boolean} on */
  camera(on) {
    return this.#switch('cam', on);
  }

  /** Share a screen, or stop it; the browser wants a click for it. @param {boolean} on */
  async share(on) {
    await this.call?.share(on);
    this.update();
  }

  /**
   * Write to everybody in the call.
   * @param {string} text
   * @returns {import('../klatch/chat.js').Message}
   * @throws {KlatchProblem} bad-message; not-joined where there is no call
   */
  say(text) {
    if (!this.call) throw new KlatchProblem('not-joined', { sentence: 'There is no call yet: join() first.' });
    return this.call.say(text);
  }

  /** Show the chat beside the call, or put it away. @param {boolean} on */
  chat(on) {
    /** @type {import('./call.js').KlatchCall | null} */ (this.find('klatch-call'))?.openChat(on);
  }

  /** @override @returns {unknown} */
  view() {
    const t = this.#t;
    if (t === null) return nothing;
    switch (this.#phase) {
      case 'call': return this.#callView(t);
      case 'ended': return this.#endedView(t);
      default: return this.#phase === 'joining' && this.open ? this.#joiningView(t) : this.#lobbyView(t);
    }
  }

  /** Where there is no lobby. @param {Texts} t */
  #joiningView(t) {
    const { waiting } = this.#entry;
    const more = waiting ? t(waiting.hosts > 0 ? 'lobby.waiting.more' : 'lobby.waiting.nobody') : '';
    const props = { title: t(waiting ? 'lobby.waiting' : 'lobby.joining'), more, action: t('lobby.cancel'), passing: true };
    return html`<klatch-card theme=${this.theme} lang=${t.language} dir=${t.direction} .props=${props} @act=${this.leave}></klatch-card>`;
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
      deviceProblems: this.#deviceProblems, joinProblem: this.#joinProblem ?? this.obstacle, media: this.media,
      elsewhere: this.#elsewhere, entry: this.#entry, sealed: this.#secret !== null, sealable: this.sealable && Boolean(crypto.subtle),
      speaker: this.#choices.speakerId, api: () => this.#findApi(),
      doctor: this.doctor,
    };
    return html`<klatch-lobby lang=${t.language} dir=${t.direction} .props=${props} @join-wanted=${this.#wanted} @join-cancelled=${this.leave}
      @name-written=${this.#named} @password-written=${(/** @type {CustomEvent} */ event) => this.#entry.write(event.detail.password)} @seal-wanted=${this.#seal} @devices-wanted=${this.#openMedia} @device-chosen=${this.#chose}
      @toggle-mic=${() => this.#toggle('mic')} @toggle-cam=${() => this.#toggle('cam')}></klatch-lobby>`;
  }

  /** @param {Texts} t */
  #callView(t) {
    if (!this.call) return nothing;
    const props = {
      t, room: this.call, hide: this.hiddenWords, media: this.media, link: this.link, owner: this, choices: this.#choices,
    };
    return html`<klatch-call lang=${t.language} dir=${t.direction} .props=${props} @hang-up=${this.leave} @device-chosen=${this.#chose} @rename=${this.#named}
      @unread=${(/** @type {CustomEvent} */ event) => this.#tellUnread(event.detail.count)}
      @choice=${this.#chosen}></klatch-call>`;
  }

  /** @param {Texts} t */
  #endedView(t) {
    const action = t(this.#reason === 'taken-over' ? 'ended.back' : this.#reason === 'refused' ? 'ended.ask' : 'ended.again');
    return html`<klatch-card theme=${this.theme} lang=${t.language} dir=${t.direction} .props=${{ ...endedText(t, this.#reason), action }}
      @act=${this.#again}></klatch-card>`;
  }

  /** @param {Room} room */
  #enter(room) {
    this.call = room;
    this.#entry.waiting = null;
    room.budget.quality = this.#choices.quality;
    this.#phase = 'call';
    room.on('left', ({ detail }) => this.#ended(detail.reason), { once: true });
    this.update();
    announce(this, 'joined', { room });
    announceRoom(this, room);
  }

  /** @param {unknown} error */
  #refused(error) {
    this.#phase = 'lobby';
    const problem = error instanceof KlatchProblem ? error : new KlatchProblem('other', { cause: error });
    this.#elsewhere = problem.code === 'in-another-tab';
    this.#joinProblem = problem.code === 'aborted' || this.#elsewhere ? null : problem;
    if (this.#entry.refused(problem)) {
      this.media.close();
      this.#reason = problem.code;
      this.#phase = 'ended';
    }
    this.update();
    if (problem.code !== 'aborted') announce(this, 'problem', { problem });
  }

  /** @param {number} count */
  #tellUnread(count) {
    announce(this, 'unread', { count });
  }

  /** The call is over, by oneself or by the room. @param {string} reason */
  #ended(reason) {
    this.call = null;
    this.#tellUnread(0);
    this.media.close();
    this.#reason = reason;
    this.#phase = 'ended';
    this.update();
    announce(this, 'left', { reason });
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
    announce(this, 'link-changed', { link: this.link });
  }

  #changeRoom() {
    this.#close();
    this.#elsewhere = false;
    this.#entry.clear();
    this.#begin();
  }

  /** The lobby, or straight into the call. */
  #begin() {
    if (!this.here || this.obstacle) return;
    void this.#openMedia();
    if (this.open) {
      void this.#joinQuietly({});
      return;
    }
    void this.#lookAround();
    void this.#entry.look(this.givenApi ?? rememberedApi(), this.#roomName);
  }

  /** What the attribute hides is hidden through the names of parts. */
  #hide() {
    this.#hiding.replaceSync(hidingStyle(this.hiddenWords));
  }

  /** @override */
  drawn() {
    this.tellFaults((problem) => announce(this, 'problem', { problem }));
  }

  /** @override */
  takeFocus() {
    // What is shown now has yet to be drawn.
    queueMicrotask(() => /** @type {import('./part.js').Part<object> | null} */ (this.find('klatch-lobby, klatch-call, klatch-card'))?.takeFocus());
  }

  /** @param {'mic' | 'cam'} kind @param {boolean} on */
  async #switch(kind, on) {
    if (kind === 'mic') await this.media.setMic(on);
    else await this.media.setCam(on);
    this.update();
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
    return this.givenApi ?? findOwnApi();
  }

  async #again() {
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
    const { micId, camId } = this.#choices;
    const { mic, cam } = this.wantedDevices ?? this.#choices;
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
    announce(this, 'problem', { problem });
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
    this.#remember({ name: tidyName(this.#name) });
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
