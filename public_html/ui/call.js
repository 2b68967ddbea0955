// The call: everybody's tiles, the controls, the chat, and what there is to know about the
// room. Follows one SDK Room for as long as it is in the document.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { KlatchProblem } from '../klatch/index.js';
import { define } from './define.js';
import { Part } from './part.js';
import { banner, linkByHand, soundButton, top } from './call-parts.js';
import { icon } from './icons.js';
import { isFor, shortcutOf } from './keys.js';
import { tidyName } from './name.js';
import { NoticeList } from './notice-list.js';
import { problemText } from './strings.js';
import { callStyle } from './call.css.js';
import './grid.js';
import './knocks.js';
import { KlatchChat } from './chat.js';
import { Comings } from './comings.js';
import { Conversation } from './conversation.js';
import { takeDrops } from './drop.js';
import { can } from './can.js';
import { House } from './house.js';
import { Presence } from './presence.js';
import { ShownSizes } from './shown-sizes.js';
import { Stage } from './stage.js';
import './controls.js';
import './notices.js';
import './person-menu.js';
import './settings.js';

/** @typedef {import('../klatch/index.js').Room} Room */
/** @typedef {import('../klatch/index.js').Person} Person */

/**
 * @typedef {object} CallProps
 * @property {Room} room
 * @property {import('../klatch/index.js').Media} media
 * @property {string} link
 * @property {import('./remember.js').Choices} choices
 * @property {ReadonlySet<string>} hide what the page around hides: words of part-names.js
 * @property {HTMLElement} owner the element whose keyboard shortcuts these are
 * @property {import('./strings.js').Texts} t
 */

/** From this width on the chat stands beside the grid. */
const WIDE_PX = 900;
/** Below this width the bars show pictograms without words. */
const TIGHT_PX = 480;
/** Flatter than this (a phone held sideways) the controls stand at the side. */
const FLAT_PX = 430;
/** Lower than this they don't fit in one column there. */
const LOW_PX = 300;
const COPIED_MS = 2500;

/**
 * Emits 'unread' {count}, 'hang-up', 'choice' with what is to be remembered, 'rename' {name},
 * 'device-chosen' {mic}, {cam} or {speaker}.
 * @extends {Part<CallProps>}
 */
export class KlatchCall extends Part {
  /** @override */
  static styles = [callStyle];

  #notices = new NoticeList(() => this.update());
  #stage = new Stage();
  /** The key of the tile whose menu is open. @type {object | null} */
  #menuOf = null;
  /** @type {Conversation | null} */
  #conversation = null;
  #unread = 0;
  /** @type {House | null} */
  #house = null;
  /** Whether files are being held over the call. */
  #dropping = false;
  #chatOpen = false;
  #soundBlocked = false;
  #copied = false;
  #copyByHand = false;
  #watch = new ResizeObserver(() => this.#measure());
  #statsOpen = false;
  #sizes = new ShownSizes((person, heights) => this.props.room.budget.show(person, heights));

  /** @override */
  entered() {
    this.#watch.observe(this);
    this.#follow();
    const { room, media, owner } = this.props;
    new Presence({
      room, media, owner, life: this.life, stage: this.#stage,
      texts: () => this.props.t,
      choices: () => this.#choices(),
      changed: () => this.update(),
      tell: (notice) => this.#notices.add(notice),
      wake: () => this.#grid()?.play(),
    }).start();
    document.addEventListener('keydown', (event) => this.#key(event), { signal: this.life });
  }

  /** @override */
  left() {
    this.#watch.disconnect();
    this.#notices.clear();
  }

  #follow() {
    const { room, media } = this.props;
    const life = { signal: this.life };
    room.on('peer-left', ({ detail }) => this.#sizes.forget(detail.person), life);
    new Comings({
      room, life: this.life,
      texts: () => this.props.t,
      nameOf: (person) => this.#nameOf(person),
      changed: () => this.update(),
      tell: (notice) => this.#notices.add(notice),
    });
    this.#conversation = new Conversation(room, this.life, {
      changed: () => this.#talked(),
      unread: (entry) => this.#heard(entry),
      problem: (problem) => this.#warn(problem),
    });
    this.#house = new House({
      room, life: this.life,
      texts: () => this.props.t,
      nameOf: (person) => this.#nameOf(person),
      changed: () => this.update(),
      say: (title) => this.#say(title),
      warn: (problem) => this.#warn(problem),
    });
    document.addEventListener('visibilitychange', () => this.#watchChat(), life);
    takeDrops(this, this.props.owner, this.life, {
      over: (over) => {
        this.#dropping = over && !this.props.hide.has('files');
        this.update();
      },
      files: (files, folders) => (this.props.hide.has('files') ? undefined : this.#offer(files, folders)),
    });
    for (const type of /** @type {const} */ (['server', 'carrying'])) room.on(type, () => this.update(), life);
    room.budget.on('told', () => this.update(), life);
    room.budget.on('sending', ({ detail }) => this.#sends(detail), life);
    document.addEventListener('visibilitychange', () => this.#sizes.tellAll(), life);
    room.on('problem', ({ detail: { problem } }) => this.#warn(problem), life);
    media.on('change', () => this.update(), life);
    media.on('problem', ({ detail }) => this.#warn(detail), life);
  }

  /** @override */
  view() {
    const { t, room } = this.props;
    const tiles = this.#tiles();
    const menu = tiles.find(({ key }) => key === this.#menuOf) ?? null;
    const covered = this.#chatOpen && !this.hasAttribute('data-wide');
    return html`<div class="call" @focus-lost=${this.takeFocus} @sound-blocked=${this.#silenced} @copy-link=${this.#copy}
      @toggle-mic=${() => this.#toggle('mic')} @toggle-cam=${() => this.#toggle('cam')}
      @toggle-chat=${this.#toggleChat} @close-chat=${this.#toggleChat}
      @toggle-screen=${() => this.#share()} @open-menu=${this.#openMenu} @menu-closed=${this.#closeMenu}
      @tile-act=${this.#act} @hearing=${this.#hearing} @choice=${this.relay}
      @hang-up=${this.relay} @open-settings=${() => this.#settings().open()} @rename=${this.#rename}
      @device-chosen=${this.relay} @quality-chosen=${this.#choseQuality} @open-stats=${this.#openStats}
      @say=${(/** @type {CustomEvent} */ event) => this.#conversation?.say(event.detail.text)}
      @writing=${(/** @type {CustomEvent} */ event) => this.#conversation?.writing(event.detail.on)}
      @address=${(/** @type {CustomEvent} */ event) => this.#conversation?.address(event.detail.person)}
      @offer-files=${(/** @type {CustomEvent} */ event) => this.#offer(event.detail.files, 0)}
      @file-save=${(/** @type {CustomEvent} */ event) => this.#conversation?.save(event.detail)}
      @file-stop=${(/** @type {CustomEvent} */ event) => this.#conversation?.stop(event.detail)}
      @admit=${(/** @type {CustomEvent} */ event) => this.#house?.decide('admit', event.detail.who)}
      @refuse=${(/** @type {CustomEvent} */ event) => this.#house?.decide('refuse', event.detail.who)}
      @room-change=${(/** @type {CustomEvent} */ event) => this.#house?.change(event.detail)}
      @host-act=${(/** @type {CustomEvent} */ event) => this.#house?.act(event.detail.act, event.detail.person)}
      @dismiss-notice=${(/** @type {CustomEvent} */ event) => this.#notices.dismiss(event.detail.id)}>
      ${top(t, room, this.#copied, this.#copy)}
      ${banner(t, room, (person) => this.#nameOf(person), html`<klatch-knocks .props=${{ t, people: room.knocking }}></klatch-knocks>`)}
      <div class="stage" ?inert=${covered}>
        <klatch-grid .props=${{ t, tiles, invite: this.#invite() }}></klatch-grid>
        ${this.#soundBlocked ? soundButton(t, this.#unsilence) : nothing}
        ${this.#copyByHand ? linkByHand(t, this.props.link, this.#copiedByHand) : nothing}
        <klatch-notices .props=${{ t, notices: this.#notices.showing }}></klatch-notices>
      </div>
      <klatch-controls ?inert=${covered && !this.hasAttribute('data-rail')} ?data-rail=${this.hasAttribute('data-rail')}
        ?data-low=${this.hasAttribute('data-low')} ?data-tight=${this.hasAttribute('data-tight')}
        .props=${{
          t, mic: room.self.mic, cam: room.self.cam, screen: can('screen') ? room.self.screen : null,
          chat: this.#chatOpen, unread: this.#chatOpen ? 0 : this.#unread,
        }}></klatch-controls>
      ${this.#chatOpen && this.#conversation ? this.#chat(this.#conversation) : nothing}
      ${this.#dropping ? this.#dropZone() : nothing}
      <klatch-settings .props=${{
        t, name: room.self.name, media: this.props.media, quality: room.budget.quality, choices: this.props.choices,
        house: { settings: this.#house?.settings ?? room.settings, host: room.self.host, hosts: this.#hostNames() },
      }}></klatch-settings>
      ${this.#stats()}
      <klatch-person-menu .props=${{ t, tile: menu, hosting: room.self.host }}></klatch-person-menu>
    </div>`;
  }

  /** The call begins with its name. @override */
  takeFocus() {
    this.need('h1').focus({ preventScroll: true });
  }

  /** What is rarely looked at is loaded when it is. */
  async #openStats() {
    try {
      await import('./stats-panel.js');
      this.#statsOpen = true;
    } catch {
      this.#warn({ code: 'network' });
    }
    this.update();
  }

  #stats() {
    if (!this.#statsOpen) return nothing;
    const { t, room } = this.props;
    const props = { t, room, nameOf: (/** @type {{name: string}} */ person) => this.#nameOf(person) };
    const close = () => {
      this.#statsOpen = false;
      this.update();
    };
    return html`<klatch-stats .props=${props} @close-stats=${close}></klatch-stats>`;
  }

  /** @param {{person: Person, picture: 'moving' | 'still' | 'none'}} detail */
  #sends({ person, picture }) {
    this.#say(this.props.t(`notice.sending.${picture}`, { name: this.#nameOf(person) }));
  }

  /** @param {CustomEvent<{quality: import('../klatch/allot.js').Quality}>} event */
  #choseQuality(event) {
    this.props.room.budget.quality = event.detail.quality;
    this.emit('choice', event.detail);
    this.update();
  }

  /**
   * Everybody by order of joining, oneself at the end, screens before their people.
   * @returns {import('./tile.js').TileProps[]}
   */
  #tiles() {
    const { room, media } = this.props;
    const others = room.people.flatMap((person) => this.#tilesOf(person, false, person, {
      paused: pausedOf(person, room.budget.quality),
      outside: Boolean(person.outside),
      via: person.via ? this.#nameOf(person.via) : '',
    }));
    const { self } = room;
    const own = { ...self, plain: false, state: /** @type {const} */ ('connected'), stream: media.stream,
      screen: self.screen ? media.screen.stream : null };
    const tiles = [...others, ...this.#tilesOf(room, true, own)];
    const large = this.#stage.large(tiles);
    return tiles.map((tile) => ({ ...tile, large: tile.key === large }));
  }

  /**
   * @param {object} key @param {boolean} mine
   * @param {Pick<Person, 'id' | 'name' | 'state' | 'stream' | 'screen' | 'mic' | 'cam' | 'plain' | 'host'>} shown
   * @param {Partial<import('./tile.js').TileProps>} [own] of the person's own tile alone
   * @returns {import('./tile.js').TileProps[]}
   */
  #tilesOf(key, mine, shown, own = {}) {
    const { t, choices } = this.props;
    const { id, state, stream, screen, mic, cam, plain, host } = shown;
    const stage = this.#stage;
    const tile = (/** @type {object} */ its, /** @type {MediaStream | null} */ what) => ({
      t, key: its, id, name: this.#nameOf(shown), mine, state, stream: what, mic, cam, plain, host,
      screen: its !== key, large: false, pinned: stage.pinned === its, speaking: stage.speakers.speaks(key),
      ...stage.hearing(its), person: its, speaker: choices.speakerId,
      ...(mine ? {} : { show: this.#sizes.of(/** @type {Person} */ (key), its === key ? 'camera' : 'screen') }),
    });
    return [...(screen ? [tile(stage.screenOf(key), screen)] : []), { ...tile(key, stream), ...own }];
  }

  #invite() {
    const { t, room, link } = this.props;
    return room.people.length > 0 || this.props.hide.has('invite') ? null : { t, link, copied: this.#copied };
  }

  #copiedByHand() {
    this.#copyByHand = false;
    this.update();
  }

  /** A key to talk with is the microphone's, and hidden with it. @returns {import('./remember.js').Choices} */
  #choices() {
    const { choices, hide } = this.props;
    return hide.has('mic') ? { ...choices, holdToTalk: false } : choices;
  }

  #hostNames() {
    const { t, room } = this.props;
    const others = room.people.filter(({ host }) => host).map((person) => this.#nameOf(person));
    return room.self.host ? [...others, t('person.you')] : others;
  }

  /** @param {{name: string}} person */
  #nameOf({ name }) {
    return name || this.props.t('person.guest');
  }

  #settings() {
    return /** @type {import('./settings.js').KlatchSettings} */ (this.need('klatch-settings'));
  }

  /** @param {string} title */
  #say(title) {
    this.#notices.add({ kind: 'quiet', title });
  }

  /** @param {import('./lobby.js').Problem} problem */
  #warn(problem) {
    this.#notices.add({ kind: 'problem', ...problemText(this.props.t, problem) });
  }

  /** @param {Conversation} conversation */
  #chat({ entries, toldBy, writers, to }) {
    const { t, room } = this.props;
    const nameOf = (/** @type {{name: string}} */ person) => this.#nameOf(person);
    return html`<klatch-chat .props=${{ t, entries, toldBy, writers, to, people: room.people, nameOf }}></klatch-chat>`;
  }

  #dropZone() {
    const { t } = this.props;
    const { to = null } = this.#conversation ?? {};
    const text = to === null ? t('chat.drop.all') : t('chat.drop', { name: this.#nameOf(to) });
    return html`<div class="drop"><p>${icon('file')}${text}</p></div>`;
  }

  /** @param {File[]} files @param {number} folders */
  async #offer(files, folders) {
    if (folders > 0) this.#warn(new KlatchProblem('folder'));
    if (files.length === 0) return;
    if (!this.#chatOpen) await this.#toggleChat();
    await this.#conversation?.offer(files);
  }

  /** Something was written or sent, or is being written. */
  #talked() {
    const unread = this.#conversation?.unread ?? 0;
    if (unread !== this.#unread) this.emit('unread', { count: unread });
    this.#unread = unread;
    this.update();
  }

  /** @param {import('./conversation.js').Entry} entry that came while nobody was looking */
  #heard({ message, share }) {
    const { t, hide } = this.props;
    if (this.#chatOpen || hide.has('chat')) return;
    const title = message ? t('notice.message', { name: this.#nameOf(message), text: message.text })
      : t('notice.file', { name: this.#nameOf(share.ways[0]?.person ?? { name: '' }), file: share.name });
    this.#notices.add({ kind: 'message', title });
  }

  #watchChat() {
    this.#conversation?.watch(this.#chatOpen && !document.hidden);
  }

  /** @param {'mic' | 'cam'} kind */
  async #toggle(kind) {
    const { room } = this.props;
    if (kind === 'mic') await room.microphone(!room.self.mic);
    else await room.camera(!room.self.cam);
    this.emit('choice', { mic: room.self.mic, cam: room.self.cam });
    this.update();
  }

  async #share() {
    const { room } = this.props;
    await room.share(!room.self.screen);
    this.update();
  }

  #grid() {
    return /** @type {import('./grid.js').KlatchGrid | null} */ (this.find('klatch-grid'));
  }

  /** @param {CustomEvent<{key: object}>} event */
  #openMenu(event) {
    this.#menuOf = event.detail.key;
    this.update();
  }

  #closeMenu() {
    this.#menuOf = null;
    this.update();
  }

  /** @param {CustomEvent<{act: string, key: object}>} event */
  #act(event) {
    const { act, key } = event.detail;
    if (act === 'pin') this.#stage.pin(key);
    else if (act === 'full-screen') this.#grid()?.tileOf(key)?.fullScreen();
    else this.#grid()?.tileOf(key)?.ownWindow();
    this.update();
  }

  /** @param {CustomEvent<{person: object, volume?: number, silenced?: boolean}>} event */
  #hearing(event) {
    const { person, ...change } = event.detail;
    this.#stage.hear(person, change);
    this.update();
  }

  /** @param {CustomEvent<{name: string}>} event */
  #rename(event) {
    this.props.room.rename(tidyName(event.detail.name));
    this.relay(event);
    this.update();
  }

  /** @param {boolean} on */
  openChat(on) {
    if (on !== this.#chatOpen) void this.#toggleChat();
  }

  async #toggleChat() {
    this.#chatOpen = !this.#chatOpen;
    this.#watchChat();
    this.#notices.dismissKind('message');
    await Promise.resolve();
    if (!this.#chatOpen) {
      /** @type {import('./controls.js').KlatchControls} */ (this.need('klatch-controls')).focusChat();
      return;
    }
    await Promise.resolve();
    const chat = this.find('klatch-chat');
    if (chat instanceof KlatchChat) chat.enter(this.hasAttribute('data-wide'));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.props.link);
      this.#copied = true;
      setTimeout(() => {
        this.#copied = false;
        this.update();
      }, COPIED_MS);
    } catch {
      this.#copyByHand = true;
    }
    this.update();
  }

  #silenced() {
    this.#soundBlocked = true;
    this.update();
  }

  async #unsilence() {
    this.#soundBlocked = false;
    this.update();
    await this.#grid()?.play();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!isFor(event, this.props.owner)) return;
    if (event.key === 'Escape' && this.#chatOpen && !event.defaultPrevented) this.#toggleChat();
    const shortcut = shortcutOf(event);
    if (!shortcut) return;
    event.preventDefault();
    // What is hidden has no shortcut either.
    if (this.props.hide.has(shortcut === 'cam' ? 'camera' : shortcut)) return;
    if (shortcut === 'chat') this.#toggleChat();
    else if (shortcut !== 'screen') this.#toggle(shortcut);
    else if (can('screen')) this.#share();
  }

  #measure() {
    const { clientWidth: width, clientHeight: height } = this;
    const flat = height < FLAT_PX && width > height && width >= TIGHT_PX;
    this.toggleAttribute('data-rail', flat);
    this.toggleAttribute('data-low', flat && height < LOW_PX);
    this.toggleAttribute('data-wide', width >= WIDE_PX && !flat);
    this.toggleAttribute('data-tight', width < TIGHT_PX);
    this.update();
  }
}

/**
 * @param {Person} person @param {import('../klatch/allot.js').Quality} quality
 * @returns {import('./tile.js').TileProps['paused']}
 */
function pausedOf({ picture, why, frozen }, quality) {
  if (picture === 'moving') return frozen ? 'frozen' : null;
  if (why === 'choice') return 'choice';
  if (quality === 'sound') return 'own';
  // What isn't seen isn't asked for: it is on its way when it is seen.
  if (why === 'asked') return null;
  return picture === 'still' ? 'still' : 'bits';
}

define('klatch-call', KlatchCall);
