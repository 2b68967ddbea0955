// The bar under the thumb: microphone, camera, screen, chat, settings, hang up.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { shortcuts } from './keys.js';
import { controlsStyle } from './controls.css.js';

/**
 * @typedef {object} ControlsProps
 * @property {boolean} mic
 * @property {boolean} cam
 * @property {boolean | null} screen whether it is shared; null where the browser can't
 * @property {boolean} chat whether the chat is open
 * @property {number} unread messages since it was
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'toggle-mic', 'toggle-cam', 'toggle-screen', 'toggle-chat', 'open-settings', 'hang-up'.
 * @extends {Part<ControlsProps>}
 */
export class KlatchControls extends Part {
  /** @override */
  static styles = [controlsStyle];

  /** @override */
  view() {
    const { t, mic, cam, screen, chat, unread } = this.props;
    return html`<div class="bar" part="controls" role="group" aria-label=${t('call.controls')}>
      ${this.#toggle('mic', 'toggle-mic', mic)}
      ${this.#toggle('cam', 'toggle-cam', cam)}
      ${screen === null ? nothing : this.#share(screen)}
      <button class="control" part="chat-button" aria-expanded=${chat} aria-keyshortcuts=${shortcuts.chat.name}
        aria-label=${unread ? t('call.chat.unread', { count: unread }) : t('call.chat')}
        title=${`${t('call.chat')} (${shortcuts.chat.name})`} @click=${() => this.emit('toggle-chat')}>
        <span class="face">${icon('chat')}${unread ? html`<span class="badge">${Math.min(unread, 99)}</span>` : nothing}
        </span>
        <span class="label" aria-hidden="true">${t('call.chat')}</span>
      </button>
      <button class="control" part="settings-button" aria-haspopup="dialog" title=${t('call.settings')}
        @click=${() => this.emit('open-settings')}>
        <span class="face">${icon('sliders')}</span><span class="label">${t('call.settings')}</span>
      </button>
      <button class="control hang-up" part="leave-button" title=${t('call.hangUp')} @click=${() => this.emit('hang-up')}>
        <span class="face">${icon('hang-up')}</span><span class="label">${t('call.hangUp')}</span>
      </button>
    </div>`;
  }

  /**
   * @param {'mic' | 'cam'} kind @param {string} event @param {boolean} on
   */
  #toggle(kind, event, on) {
    const label = this.props.t(`call.${kind}`);
    const sign = kind === 'mic' ? 'mic' : 'camera';
    return html`<button class="control" part=${kind === 'mic' ? 'mic-button' : 'camera-button'} aria-pressed=${on} aria-keyshortcuts=${shortcuts[kind].name}
      title=${`${label} (${shortcuts[kind].name})`} @click=${() => this.emit(event)}>
      <span class="face">${icon(on ? sign : `${sign}-off`)}</span><span class="label">${label}</span>
    </button>`;
  }

  /** @param {boolean} on */
  #share(on) {
    const { t } = this.props;
    return html`<button class="control share" part="screen-button" aria-pressed=${on} aria-keyshortcuts=${shortcuts.screen.name}
      title=${`${t(on ? 'call.screen.stop' : 'call.screen')} (${shortcuts.screen.name})`} @click=${() => this.emit('toggle-screen')}>
      <span class="face">${icon(on ? 'screen-off' : 'screen')}</span><span class="label">${t('call.screen')}</span>
    </button>`;
  }

  /** Where the focus goes when the chat closes. */
  focusChat() {
    this.need('[aria-expanded]').focus();
  }
}

define('klatch-controls', KlatchControls);
