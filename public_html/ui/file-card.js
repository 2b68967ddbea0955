// One file in the chat: what it is, how far it is on its way, and what can be done about it.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { maybePicture, readPicture } from './pictures.js';
import { percentText, sizeText } from './sizes.js';
import { fileCardStyle } from './file-card.css.js';

/** @typedef {import('../klatch/files.js').Share} Share */
/** @typedef {import('../klatch/files.js').Way} Way */

/**
 * @typedef {object} FileCardProps
 * @property {Share} share
 * @property {(person: {name: string}) => string} nameOf
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'file-save' and 'file-stop' with the share.
 * @extends {Part<FileCardProps>}
 */
export class KlatchFile extends Part {
  /** @override */
  static styles = [fileCardStyle];

  /** The address by which the page shows or saves what is in the share. */
  #address = '';
  /** @type {Blob | null} */
  #addressed = null;
  #picture = false;

  /** @override */
  left() {
    this.#forget();
  }

  /** @override */
  view() {
    const { t, share } = this.props;
    void this.#follow(share);
    return html`<div class="card" ?data-mine=${share.mine}>
      ${this.#picture ? html`<img src=${this.#address} alt=${share.name}>` : nothing}
      <div class="what">${icon('file')}<div>
        <p class="name" dir="auto">${share.name}</p><p class="size">${sizeText(t, share.size)}</p></div></div>
      <div aria-live="off">${share.mine ? html`<ul>${share.ways.map((way) => html`<li>${this.#way(way)}</li>`)}</ul>`
        : share.ways.map((way) => this.#way(way))}</div>
      ${this.#acts(t, share)}
    </div>`;
  }

  /** @param {import('./strings.js').Texts} t @param {Share} share */
  #acts(t, share) {
    const act = (/** @type {string} */ type) => () => this.emit(type, share);
    const values = { file: share.name };
    const [way] = share.ways;
    const open = share.ways.some(({ state }) => state === 'offered' || state === 'coming' || state === 'waiting');
    const link = !share.mine && this.#address !== '';
    if (!open && !link) return nothing;
    const offered = !share.mine && way?.state === 'offered';
    return html`<div class="acts">
      ${offered ? html`<button part="button primary-button" class="button primary" aria-label=${t('file.take', values)} @click=${act('file-save')}>
        ${icon('save')}${t('file.take.short')}</button>` : nothing}
      ${link ? html`<a part="button primary-button" class="button primary" href=${this.#address} download=${share.name}
        aria-label=${t('file.take', values)}>${icon('save')}${t('file.take.short')}</a>` : nothing}
      ${open ? html`<button part="button" class="button" aria-label=${t(offered ? 'file.refuse' : 'file.cancel', values)}
        @click=${act('file-stop')}>${t(offered ? 'file.refuse.short' : 'file.cancel.short')}</button>` : nothing}
    </div>`;
  }

  /** @param {Way} way */
  #way(way) {
    const { t, share, nameOf } = this.props;
    const text = this.#state(way);
    if (text === '') return nothing;
    const said = share.mine ? t('file.way', { name: nameOf(way.person), state: text }) : text;
    const moving = way.state === 'coming' || way.state === 'waiting';
    return html`<p class="state" ?data-bad=${way.state === 'failed'}>${said}</p>
      ${moving ? html`<progress max="1" .value=${share.size ? way.done / share.size : 0}
        aria-label=${t('file.progress.of', { file: share.name })}></progress>` : nothing}`;
  }

  /** @param {Way} way */
  #state({ state, why, done, speed }) {
    const { t, share } = this.props;
    const percent = percentText(t, share.size ? done / share.size : 0);
    switch (state) {
      case 'offered': return share.mine ? t('file.state.offered') : '';
      case 'coming': return t('file.progress', { percent, speed: sizeText(t, speed) });
      case 'waiting': return t('file.state.waiting', { percent });
      case 'done': return t(share.mine ? 'file.state.sent' : share.file ? 'file.state.ready' : 'file.state.saved');
      case 'refused': return t('file.state.refused');
      case 'stopped': return t('file.state.stopped');
      default: return t(/** @type {any} */ (`file.why.${why}`));
    }
  }

  /** An address for what can be shown or saved. @param {Share} share */
  async #follow({ file, mine, type, size }) {
    const shown = maybePicture({ type, size });
    if (file === this.#addressed || (mine && !shown)) return;
    this.#forget();
    this.#addressed = file;
    if (file === null) return;
    const picture = shown ? await readPicture(file).catch(() => null) : null;
    if (this.#addressed !== file || !this.isConnected) return;
    this.#picture = picture !== null;
    // The kind that it is, whatever its sender said; the rest is only to be saved.
    const kept = picture ? file.slice(0, file.size, picture.type) : file.slice(0, file.size, 'application/octet-stream');
    this.#address = URL.createObjectURL(kept);
    this.update();
  }

  #forget() {
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = '';
    this.#addressed = null;
    this.#picture = false;
  }
}

define('klatch-file', KlatchFile);
