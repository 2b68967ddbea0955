// The text chat: what was written, by whom and when, and a field to write in.
import { html } from '../vendor/lit-html/lit-html.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { chatStyle } from './chat.css.js';

/** @typedef {import('../klatch/chat.js').Message} Message */

/**
 * @typedef {object} ChatProps
 * @property {Message[]} messages oldest first; only ever added to
 * @property {import('./strings.js').Texts} t
 */

/** Lines of one person within this time stand under one name. */
const TOGETHER_MS = 120000;
/** So near to the end counts as reading along: new lines scroll into view. */
const AT_END_PX = 60;
const TEXT_MAX = 4000;

/**
 * Emits 'say' {text} and 'close-chat'.
 * @extends {Part<ChatProps>}
 */
export class KlatchChat extends Part {
  /** @override */
  static styles = [chatStyle];

  #clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
  #shown = 0;

  /** @override */
  view() {
    const { t, messages } = this.props;
    return html`<section aria-labelledby="heading">
      <header>
        <h2 id="heading">${t('chat.heading')}</h2>
        <button class="plain" aria-label=${t('chat.close')} title=${t('chat.close')} aria-keyshortcuts="Escape"
          @click=${() => this.emit('close-chat')}>${icon('close')}</button>
      </header>
      <div class="log" role="log" aria-label=${t('chat.log')} tabindex="0">
        ${messages.length === 0 ? html`<p class="empty">${t('chat.empty')}</p>` : ''}
        ${messages.map((message, i) => this.#line(message, messages[i - 1]))}
      </div>
      <form @submit=${this.#send}>
        <textarea rows="1" maxlength=${TEXT_MAX} enterkeyhint="send" aria-label=${t('chat.write')}
          placeholder=${t('chat.write')} @keydown=${this.#key} @input=${this.#grow}></textarea>
        <button class="plain send" aria-label=${t('chat.send')} title=${t('chat.send')}>${icon('send')}</button>
      </form>
    </section>`;
  }

  /** @override */
  drawn() {
    const { messages } = this.props;
    if (messages.length === this.#shown) return;
    const log = this.need('.log');
    const last = log.lastElementChild;
    const height = last instanceof HTMLElement ? last.offsetHeight : 0;
    const wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight - height < AT_END_PX;
    if (this.#shown === 0 || wasAtEnd || messages.at(-1)?.mine) log.scrollTop = log.scrollHeight;
    this.#shown = messages.length;
  }

  /** @param {boolean} writing into the field, else to the heading's button (no keyboard pops up) */
  enter(writing) {
    this.need(writing ? 'textarea' : 'header button').focus();
  }

  /** @param {Message} message @param {Message | undefined} before */
  #line(message, before) {
    const { t } = this.props;
    const together = before?.from === message.from && message.time - before.time < TOGETHER_MS;
    const time = new Date(message.time);
    return html`<article ?data-mine=${message.mine} ?data-together=${together}>
      <p class="head ${together ? 'hidden-text' : ''}">
        <b>${message.mine ? t('chat.you') : message.name}</b>
        <time datetime=${time.toISOString()}>${this.#clock.format(time)}</time>
      </p>
      <p class="text" dir="auto">${message.text}</p>
    </article>`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#send(event);
  }

  /** @param {Event} event */
  #send(event) {
    event.preventDefault();
    const field = this.#field();
    const text = field.value.trim();
    if (text === '') return;
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

customElements.define('klatch-chat', KlatchChat);
