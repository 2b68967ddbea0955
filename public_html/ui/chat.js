// The text chat: what was written and sent, by whom and when, who is writing, and a field to
// write in, to everybody or to one person.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { linked } from './links.js';
import { detourTexts } from './paths.js';
import { chatStyle } from './chat.css.js';
import './file-card.js';

/** @typedef {import('../klatch/chat.js').Message} Message */
/** @typedef {import('../klatch/index.js').Person} Person */
/** @typedef {import('./conversation.js').Entry} Entry */

/**
 * @typedef {object} ChatProps
 * @property {readonly Entry[]} entries oldest first
 * @property {string} toldBy who told what was said before
 * @property {{person: Person, private: boolean}[]} writers
 * @property {readonly Person[]} people who can be written to
 * @property {Person | null} to
 * @property {(person: {name: string}) => string} nameOf
 * @property {import('./strings.js').Texts} t
 */

/** Lines of one person within this time stand under one name. */
const TOGETHER_MS = 120000;
/** So near to the end counts as reading along: new lines scroll into view. */
const AT_END_PX = 60;
const TEXT_MAX = 4000;

/**
 * Emits 'say' {text}, 'writing' {on}, 'address' {person}, 'offer-files' {files}, 'file-save' and
 * 'file-stop' with a share, and 'close-chat'.
 * @extends {Part<ChatProps>}
 */
export class KlatchChat extends Part {
  /** @override */
  static styles = [chatStyle];

  #clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
  #atEnd = true;
  /** Where the log stood when it was last taken to its end. */
  #top = 0;
  #refused = false;
  #sizes = new ResizeObserver(() => this.#follow());

  /** @override */
  left() {
    this.#sizes.disconnect();
  }

  /** @override */
  view() {
    const { t, entries } = this.props;
    return html`<section part="chat" aria-labelledby="heading" @focus-lost=${() => this.need('.log').focus()}>
      <header>
        <h2 id="heading">${t('chat.heading')}</h2>
        <button class="plain" aria-label=${t('chat.close')} title=${t('chat.close')} aria-keyshortcuts="Escape"
          @click=${() => this.emit('close-chat')}>${icon('close')}</button>
      </header>
      <div class="log" role="log" aria-label=${t('chat.log')} tabindex="0" @scroll=${this.#scrolled}>
        <div class="lines">
          ${entries.length === 0 ? html`<p class="empty">${t('chat.empty')}</p>` : nothing}
          ${repeat(entries, ({ message, share }) => message ?? share, (entry, i) => this.#entry(entry, i))}
        </div>
      </div>
      <p class="writers">${this.#writers()}</p>
      ${this.#form()}
    </section>`;
  }

  /** @override */
  drawn() {
    const lines = this.need('.lines');
    this.#sizes.observe(lines);
    this.#sizes.observe(this.need('.log'));
    this.#follow();
  }

  /** @param {boolean} writing into the field, else to the heading's button (no keyboard pops up) */
  enter(writing) {
    this.need(writing ? 'textarea' : 'header button').focus();
  }

  #form() {
    const { t, to, people, nameOf } = this.props;
    const gone = to !== null && !people.includes(to);
    const label = to === null ? t('chat.write') : t('chat.write.to', { name: nameOf(to) });
    return html`<form @submit=${this.#send} ?data-alone=${to !== null}>
      ${people.length > 1 || to !== null ? this.#picker(gone) : nothing}
      ${gone && this.#refused ? html`<p class="refused" role="alert">${t('chat.to.gone.more', { name: nameOf(to) })}</p>`
        : nothing}
      <div class="write">
        <button type="button" class="plain" part="file-button" aria-label=${t('chat.attach')} title=${t('chat.attach')}
          ?disabled=${people.length === 0} @click=${() => this.need('input[type="file"]').click()}>${icon('clip')}</button>
        <input type="file" multiple hidden tabindex="-1" aria-hidden="true" @change=${this.#chosen}>
        <textarea rows="1" maxlength=${TEXT_MAX} enterkeyhint="send" aria-label=${label}
          placeholder=${label} @keydown=${this.#key} @input=${this.#typed}></textarea>
        <button class="plain send" aria-label=${t('chat.send')} title=${t('chat.send')}>${icon('send')}</button>
      </div>
    </form>`;
  }

  /** @param {boolean} gone whether the one it goes to is no longer here */
  #picker(gone) {
    const { t, to, people, nameOf } = this.props;
    const shown = gone && to ? [...people, to] : people;
    const value = String(to === null ? -1 : shown.indexOf(to));
    return html`<label class="to">${icon(to === null ? 'person' : 'alone')}<span>${t('chat.to')}</span>
      <select .value=${live(value)} aria-invalid=${gone} @change=${(/** @type {Event} */ event) => {
        if (event.target instanceof HTMLSelectElement) this.#address(shown[Number(event.target.value)] ?? null);
      }}>
        <option value="-1" ?selected=${to === null}>${t('chat.to.all')}</option>
        ${shown.map((person, i) => html`<option value=${i} ?selected=${person === to}>
          ${person === to && gone ? t('chat.to.gone', { name: nameOf(person) }) : nameOf(person)}</option>`)}
      </select></label>`;
  }

  #writers() {
    const { t, writers, nameOf } = this.props;
    const [first, second] = writers;
    if (!first) return nothing;
    const name = nameOf(first.person);
    if (!second) return t(first.private ? 'chat.writing.you' : 'chat.writing.one', { name });
    return writers.length > 2 ? t('chat.writing.many') : t('chat.writing.two', { name, other: nameOf(second.person) });
  }

  /** @param {Entry} entry @param {number} i */
  #entry({ message, share }, i) {
    const { t, entries, toldBy, nameOf } = this.props;
    const before = entries[i - 1]?.message;
    const first = message?.before && !before;
    const last = !message?.before && before?.before;
    return html`
      ${first ? html`<p class="divider">${t('chat.before', { name: nameOf({ name: toldBy }) })}</p>` : nothing}
      ${last ? html`<p class="divider">${t('chat.before.end')}</p>` : nothing}
      ${message ? this.#line(message, before) : this.#file(share)}`;
  }

  /** @param {Message} message @param {Message | null | undefined} before */
  #line(message, before) {
    const { t, nameOf } = this.props;
    const same = before?.from === message.from && before.name === message.name && before.private === message.private
      && before.to === message.to && before.before === message.before;
    const together = same && message.time - before.time < TOGETHER_MS;
    const alone = message.mine ? t('chat.alone', { name: nameOf({ name: message.toName }) }) : t('chat.alone.you');
    return html`<article part="message" ?data-mine=${message.mine} ?data-together=${together} ?data-alone=${message.private}
      ?data-before=${message.before}>
      ${this.#head(message, message.mine ? t('chat.you') : nameOf(message), message.private ? alone : '', together)}
      <p class="text" dir="auto">${linked(message.text)}</p>
      ${detourTexts(t, message, nameOf).map((text) => html`<p class="detour">${icon('no-path')}<span>${text}</span></p>`)}
    </article>`;
  }

  /** @param {import('../klatch/files.js').Share} share */
  #file(share) {
    const { t, nameOf } = this.props;
    const person = share.ways[0]?.person ?? { name: '' };
    const alone = share.mine ? t('chat.alone', { name: nameOf(person) }) : t('chat.alone.you');
    return html`<article part="message" ?data-mine=${share.mine} ?data-alone=${share.private}>
      ${this.#head(share, share.mine ? t('chat.you') : nameOf(person), share.private ? alone : '', false)}
      <klatch-file .props=${{ t, share, nameOf }} @file-save=${this.relay} @file-stop=${this.relay}></klatch-file>
    </article>`;
  }

  /**
   * @param {{time: number}} of @param {string} who @param {string} alone for whom alone, empty for everybody
   * @param {boolean} together whether it says the same as the head above
   */
  #head({ time }, who, alone, together) {
    const date = new Date(time);
    return html`<p class="head ${together ? 'hidden-text' : ''}">
      <b>${who}</b>
      ${alone ? html`<span class="alone">${icon('alone')}<span>${alone}</span></span>` : nothing}
      <time datetime=${date.toISOString()}>${this.#clock.format(date)}</time>
    </p>`;
  }

  #scrolled() {
    const log = this.need('.log');
    this.#atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END_PX;
    if (this.#atEnd) this.#top = log.scrollTop;
  }

  #follow() {
    const log = this.need('.log');
    // The event of scrolling up comes later than the scrolling.
    if (!this.#atEnd || log.scrollTop < this.#top - AT_END_PX) return;
    log.scrollTop = log.scrollHeight;
    this.#top = log.scrollTop;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#send(event);
  }

  #typed() {
    this.#grow();
    this.emit('writing', { on: this.#field().value.trim() !== '' });
  }

  /** @param {Person | null} person */
  #address(person) {
    this.#refused = false;
    this.emit('address', { person });
  }

  /** @param {Event} event */
  #chosen({ target }) {
    if (!(target instanceof HTMLInputElement)) return;
    const files = [...target.files ?? []];
    target.value = '';
    if (files.length > 0) this.emit('offer-files', { files });
  }

  /** @param {Event} event */
  #send(event) {
    event.preventDefault();
    const { to, people } = this.props;
    const field = this.#field();
    const text = field.value.trim();
    if (text === '') return;
    // What was meant for one person stays here when that one is gone.
    this.#refused = to !== null && !people.includes(to);
    if (this.#refused) {
      this.update();
      return;
    }
    this.#atEnd = true;
    this.#top = 0;
    this.emit('say', { text });
    field.value = '';
    this.#grow();
    field.focus();
  }

  #field() {
    return /** @type {HTMLTextAreaElement} */ (this.need('textarea'));
  }

  #grow() {
    const field = this.#field();
    field.style.blockSize = 'auto';
    field.style.blockSize = `${field.scrollHeight + 2}px`;
  }
}

define('klatch-chat', KlatchChat);
