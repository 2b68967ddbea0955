// What the site's owner sees: figures as plots, and rooms with who is in them. Asks while it is looked
// at, and says so when the server is away.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { define } from '../ui/define.js';
import { Part } from '../ui/part.js';
import { theme } from '../ui/theme.css.js';
import { History, figuresOf } from './figures.js';
import { keepKey, keptKey } from './key.js';
import { Owner, Refused } from './owner.js';
import { panelStyle, uplotStyle } from './panel.css.js';
import { PLOTS, Plots, lastOf } from './plots.js';

/** @typedef {import('./owner.js').OpenRoom} OpenRoom */
/** @typedef {import('./owner.js').Person} Person */
/** @typedef {{findApi: () => Promise<string>}} AdminProps */
/** @typedef {{room: string, person: Person | null}} Question what is about to be done to whom */

const FIGURES_MS = 2000;
/** A look at a room asks whoever works on it to let go of it for a moment: not too often. */
const ROOMS_MS = 5000;

const SAID = Object.freeze({
  'not-permitted': 'That is not the admin key.',
  'key-invalid': 'The admin key did not reach the server. Something between here and there takes the header X-Klatch-Key out.',
  'rate-limited': 'Too many wrong keys came from this address. Wait a minute, then try again.',
  away: 'The server does not answer.',
  other: 'What answers here is not Klatch, or not now. The doctor page may tell why.',
  busy: 'The server is busy.',
});

/** The key is of no use any more. */
const LOST = new Set(['not-permitted', 'key-invalid']);
/** What may be mended by waiting. */
const PASSES = new Set(['away', 'busy']);

/** @extends {Part<AdminProps>} */
export class KlatchAdmin extends Part {
  /** @override */
  static styles = [theme, uplotStyle, panelStyle];

  /** @type {Owner | null} */
  #owner = null;
  /** The key that the tab has kept, with which it is asked until the server says yes or no. */
  #kept = keptKey();
  #entering = false;
  #notice = '';
  /** What became of the last deed. */
  #done = '';
  #failedDeed = false;
  #history = new History();
  #plots = new Plots();
  /** @type {OpenRoom[]} */
  #rooms = [];
  #moreRooms = false;
  #roomsKnown = false;
  /** @type {Question | null} */
  #question = null;
  #figures = () => this.#readFigures();
  #list = () => this.#readRooms();
  /** What is being read, each once at a time: an older answer may not replace a newer one. @type {Map<() => Promise<void>, Promise<boolean>>} */
  #reading = new Map();
  /** Whoever had the focus when the question was asked. @type {HTMLElement | null} */
  #asked = null;

  /** @override */
  entered() {
    const { life } = this;
    const redraw = () => { this.#plots.clear(); this.update(); };
    window.addEventListener('resize', () => this.#plots.fit(), { signal: life });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw, { signal: life });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.#look(); }, { signal: life });
    this.#every(FIGURES_MS, this.#figures);
    this.#every(ROOMS_MS, this.#list);
    this.#look();
    const timer = setInterval(() => { if (!this.#owner) this.#look(); }, ROOMS_MS);
    life.addEventListener('abort', () => clearInterval(timer));
  }

  /** @override */
  left() {
    this.#plots.clear();
  }

  /** @param {number} ms @param {() => Promise<void>} what */
  #every(ms, what) {
    const timer = setInterval(() => { if (!document.hidden && this.#owner) void this.#read(what); }, ms);
    this.life.addEventListener('abort', () => clearInterval(timer));
  }

  #look() {
    if (!this.#owner) {
      if (this.#kept !== '' && !this.#entering && !document.hidden) void this.#enter(this.#kept);
      return;
    }
    void this.#read(this.#figures);
    void this.#read(this.#list);
  }

  /** @param {() => Promise<void>} what @returns {Promise<boolean>} */
  #read(what) {
    const all = this.#reading;
    const reading = all.get(what) ?? this.#try(what).finally(() => all.delete(what));
    all.set(what, reading);
    return reading;
  }

  /** @param {string} key */
  async #enter(key) {
    const kept = this.#kept;
    this.#entering = true;
    // What is asked again and again is told once.
    if (kept === '') this.#notice = '';
    this.update();
    try {
      const owner = new Owner(await this.props.findApi(), key);
      const text = await owner.metrics();
      // Forgotten meanwhile.
      if (kept !== this.#kept) return;
      this.#history.add(figuresOf(text, Date.now() / 1000));
      this.#owner = owner;
      this.#notice = '';
      keepKey(key);
      await this.#read(this.#list);
    } catch (error) {
      if (kept === this.#kept) this.#failed(refusalOf(error));
    } finally {
      this.#entering = false;
      this.update();
    }
  }

  #forget() {
    keepKey('');
    this.#kept = '';
    this.#entering = false;
    this.#owner = null;
    this.#reading = new Map();
    this.#history = new History();
    this.#rooms = [];
    this.#roomsKnown = false;
    this.#done = '';
    this.#notice = '';
    this.update();
  }

  async #readFigures() {
    const owner = this.#need();
    const text = await owner.metrics();
    if (owner !== this.#owner) return;
    this.#history.add(figuresOf(text, Date.now() / 1000));
  }

  async #readRooms() {
    const owner = this.#need();
    const { rooms, more } = await owner.rooms();
    if (owner !== this.#owner) return;
    this.#rooms = rooms;
    this.#moreRooms = more;
    this.#roomsKnown = true;
  }

  #need() {
    if (!this.#owner) throw new Refused('key-invalid');
    return this.#owner;
  }

  /** @param {() => Promise<void>} what @returns {Promise<boolean>} */
  async #try(what) {
    const owner = this.#owner;
    try {
      await what();
      if (owner === this.#owner) this.#notice = '';
      return true;
    } catch (error) {
      if (owner === this.#owner) this.#failed(refusalOf(error));
      return false;
    } finally {
      this.update();
    }
  }

  /** @param {Refused} refused */
  #failed({ code, message }) {
    // The key was changed on the server, or never right.
    if (LOST.has(code)) this.#forget();
    const said = SAID[/** @type {keyof typeof SAID} */ (code)] ?? message;
    this.#notice = PASSES.has(code) && (this.#owner || this.#kept !== '') ? `${said} The page goes on asking.` : said;
  }

  /** @override */
  view() {
    return html`
      <div class="top"><h1 tabindex="-1">Klatch admin</h1>
        ${this.#owner || this.#kept !== '' ? html`<button type="button" class="button" @click=${() => this.#forget()}>Forget the key</button>` : nothing}
      </div>
      <p class="notice" role="alert">${this.#notice}</p>
      ${this.#owner ? this.#inside() : this.#kept === '' ? this.#door() : this.#notice === '' ? html`<p class="lead">Asking the server…</p>` : nothing}
      <dialog aria-labelledby="question" @close=${() => this.#answered()}>${this.#question ? this.#ask(this.#question) : nothing}</dialog>`;
  }

  /** @override */
  takeFocus() {
    this.need('h1').focus();
  }

  #door() {
    return html`<p class="lead">Who is in which room, and how the server does. Nothing that is said is shown here.</p>
      <form @submit=${this.#submit}>
        <label class="field"><span>Admin key</span>
          <input type="password" id="key" autocomplete="off" spellcheck="false" autocapitalize="none" required aria-describedby="where"></label>
        <p class="lead" id="where">It stands as admin_key in klatch.conf; where none stands there, in admin-key.txt in the data
          folder. This tab keeps it until it is closed.</p>
        <button type="submit" class="button primary" ?disabled=${this.#entering}>${this.#entering ? 'Asking…' : 'Show'}</button>
      </form>`;
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (this.need('#key'));
    const key = field.value.trim();
    if (key === '' || this.#entering) return;
    if (!/^[!-~]+$/.test(key)) {
      this.#notice = SAID['not-permitted'];
      this.update();
      return;
    }
    this.#enter(key);
  }

  #inside() {
    return html`
      <section aria-labelledby="figures"><h2 id="figures">How it does</h2>
        <div class="plots">${PLOTS.map((plot) => html`<figure role="group" aria-label=${plot.heading}>
          <h3>${plot.heading}</h3>
          <dl class="now">${lastOf(plot, this.#history).map(({ label, value }) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
          <div class="plot" data-plot=${plot.name} aria-hidden="true"></div>
          ${plot.name === 'errors' ? this.#codes() : nothing}
        </figure>`)}</div>
      </section>
      <section aria-labelledby="rooms"><h2 id="rooms">Rooms</h2>
        <p class=${this.#failedDeed ? 'notice' : 'notice done'} role="status">${this.#done}</p>
        ${this.#rooms.length === 0 && this.#roomsKnown ? html`<p class="lead">No room is open.</p>` : nothing}
        <ul class="rooms">${repeat(this.#rooms, ({ room }) => room, (room) => this.#room(room))}</ul>
        ${this.#moreRooms ? html`<p class="lead">There are more rooms than are shown here.</p>` : nothing}
      </section>`;
  }

  #codes() {
    const codes = this.#history.codes();
    return codes.length === 0 ? nothing
      : html`<p class="codes">In these minutes: ${codes.slice(0, 6).map(([code, count]) => `${code} ${count}`).join(', ')}</p>`;
  }

  /** @param {OpenRoom} room */
  #room({ room, opened_ms: openedMs, stays, locked, lobby, password, people = [], left_off: leftOff, busy }) {
    const opened = openedMs === undefined ? '' : new Date(openedMs).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
    const count = people.length + (leftOff ?? 0);
    const facts = busy ? ['busy just now'] : [count === 1 ? '1 person' : `${count} people`, opened === '' ? '' : `since ${opened}`,
      stays ? 'stays open until it is closed' : '', locked ? 'locked' : '', lobby ? 'with a lobby' : '', password ? 'with a password' : ''];
    return html`<li class="room" data-room=${room}>
      <header><h3>${room}</h3>
        <button type="button" class="button small" aria-label=${`Close the room ${room}`}
          @click=${() => this.#open({ room, person: null })}>Close</button></header>
      <p class="facts">${facts.filter(Boolean).join(', ')}</p>
      ${people.length === 0 ? nothing : html`<ul>${repeat(people, ({ peer }) => peer, (person) => this.#person(room, person))}</ul>`}
      ${leftOff ? html`<p class="facts">${leftOff} more are not listed</p>` : nothing}
    </li>`;
  }

  /** @param {string} room @param {Person} person */
  #person(room, person) {
    const { peer, name, sub, role, state } = person;
    const facts = [role === 'host' ? 'host' : '', state === 'present' ? '' : state === 'lapsed' ? 'connection lost' : 'waits to come in',
      sub === undefined ? '' : `known to the site as ${sub}`].filter(Boolean);
    return html`<li class="person">
      <span class="who"><span>${name ?? 'Name not public'}</span><span class="id">${peer}</span>
        ${facts.length > 0 ? html`<span class="facts">${facts.join(', ')}</span>` : nothing}</span>
      <button type="button" class="button small" aria-label=${`Remove ${name ?? peer} from the room ${room}`}
        @click=${() => this.#open({ room, person })}>Remove</button>
    </li>`;
  }

  /** @param {Question} question */
  #open(question) {
    this.#question = question;
    this.#asked = /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement ?? null);
    this.#done = '';
    this.update();
  }

  /** @param {Question} question */
  #ask({ room, person }) {
    const who = person?.name ?? person?.peer;
    return html`<div class="question">
      <h2 id="question">${person ? `Remove ${who} from ${room}?` : `Close the room ${room}?`}</h2>
      <p>${person ? 'The connection to the server ends, and the others are told.'
    : 'Everybody in it is told that the room was closed. Its name may be used anew.'}</p>
      ${person ? html`<label class="check"><input type="checkbox" id="ban"><span>Don’t let this person in again, as long as the room
        exists. Who shares their address is kept out too, unless they came with a token.</span></label>` : nothing}
      <div class="answers">
        <button type="button" class="button" autofocus @click=${() => this.#dialog().close()}>Cancel</button>
        <button type="button" class="button danger" @click=${() => this.#act()}>${person ? 'Remove' : 'Close the room'}</button>
      </div></div>`;
  }

  #dialog() {
    return /** @type {HTMLDialogElement} */ (this.need('dialog'));
  }

  #answered() {
    this.#question = null;
    if (this.#asked?.isConnected) this.#asked.focus();
    this.#asked = null;
    this.update();
  }

  async #act() {
    const question = this.#question;
    const ban = this.find('#ban');
    const banned = ban instanceof HTMLInputElement && ban.checked;
    this.#dialog().close();
    if (!question) return;
    await this.#try(() => this.#do(question, banned));
    // What was asked before doesn't know of it.
    await this.#reading.get(this.#list);
    if (this.#owner) await this.#read(this.#list);
  }

  /** @param {Question} question @param {boolean} ban */
  async #do({ room, person }, ban) {
    const owner = this.#need();
    this.#failedDeed = false;
    try {
      if (person) await owner.remove(room, person.peer, ban);
      else await owner.close(room);
      this.#done = person ? `${person.name ?? person.peer} was removed from ${room}.` : `The room ${room} was closed.`;
    } catch (error) {
      if (!(error instanceof Refused) || LOST.has(error.code)) throw error;
      // Said until the next deed, unlike what goes by itself.
      this.#failedDeed = true;
      this.#done = SAID[/** @type {keyof typeof SAID} */ (error.code)] ?? error.message;
    }
  }

  /** @override */
  drawn() {
    const dialog = this.#dialog();
    if (this.#question && !dialog.open) dialog.showModal();
    if (this.#owner) {
      const places = PLOTS.map(({ name }) => this.need(`[data-plot=${name}]`));
      this.#plots.draw(this, places, this.#history);
    } else {
      this.#plots.clear();
    }
  }
}

/** @param {unknown} error of the API's, or of the search for it */
function refusalOf(error) {
  if (error instanceof Refused) return error;
  return new Refused(error instanceof Error && 'code' in error && error.code === 'network' ? 'away' : 'other');
}

define('klatch-admin', KlatchAdmin);
