// What can be switched during a call: how the microphone's sound is cleaned, what is behind the
// person, holding a key to talk, who is large.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { define } from './define.js';
import { Part } from './part.js';
import { switchesStyle } from './switches.css.js';

/** @typedef {'echo' | 'noise' | 'blur' | 'holdToTalk' | 'spotlight'} Switch */
/** @typedef {import('./remember.js').Choices} Choices */
/** @typedef {{choices: Choices, media: import('../klatch/index.js').Media, t: import('./strings.js').Texts}} SwitchesProps */

/**
 * Emits 'choice' with the one that was switched.
 * @extends {Part<SwitchesProps>}
 */
export class KlatchSwitches extends Part {
  /** @override */
  static styles = [switchesStyle];

  /** @override */
  entered() {
    this.props.media.on('change', () => this.update(), { signal: this.life });
  }

  /** @override */
  view() {
    const { choices, media } = this.props;
    return html`${this.#one('echo', choices.echo)}
      ${this.#one('noise', choices.noise)}
      ${media.blur === null ? nothing : this.#one('blur', media.blur)}
      ${this.#one('holdToTalk', choices.holdToTalk)}
      ${this.#one('spotlight', choices.spotlight)}`;
  }

  /** @param {Switch} name @param {boolean} on */
  #one(name, on) {
    const { t } = this.props;
    return html`<label part=${name === 'holdToTalk' ? 'talk-switch' : nothing}><input type="checkbox" .checked=${live(on)}
        @change=${(/** @type {Event} */ event) => this.#switched(name, event)}>
      <span>${t(`switch.${name}`)}<span class="more">${t(`switch.${name}.more`)}</span></span></label>`;
  }

  /** @param {Switch} name @param {Event} event */
  #switched(name, event) {
    if (event.target instanceof HTMLInputElement) this.emit('choice', { [name]: event.target.checked });
  }
}

define('klatch-switches', KlatchSwitches);
