// Everybody's tiles, as large as the box allows and never larger: no scrollbars. One may be
// large, the others stand beside it. Alone, the place of the other person is taken by an
// invitation.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { define } from './define.js';
import { Part } from './part.js';
import { placeTiles } from './layout.js';
import { gridStyle } from './grid.css.js';
import './tile.js';
import './invite.js';

/**
 * @typedef {object} GridProps
 * @property {import('./tile.js').TileProps[]} tiles in the order of the screen
 * @property {import('./invite.js').InviteProps | null} invite
 * @property {import('./strings.js').Texts} t
 */

const GAP = 8;

/**
 * Emits what tiles and invitation do: 'sound-blocked', 'open-menu', 'tile-act', 'copy-link'.
 * @extends {Part<GridProps>}
 */
export class KlatchGrid extends Part {
  /** @override */
  static styles = [gridStyle];

  #watch = new ResizeObserver(() => this.#arrange());

  /** @override */
  entered() {
    this.#watch.observe(this);
  }

  /** @override */
  left() {
    this.#watch.disconnect();
  }

  /** @override */
  view() {
    const { tiles, invite, t } = this.props;
    return html`<ul aria-label=${t('call.people')} @sound-blocked=${this.relay} @open-menu=${this.relay}
      @tile-act=${this.relay} @copy-link=${this.relay}>
      ${repeat(tiles, ({ key }) => key, (tile) => html`<li><klatch-tile .props=${tile}></klatch-tile></li>`)}
      ${invite ? html`<li><klatch-invite .props=${invite}></klatch-invite></li>` : nothing}
    </ul>`;
  }

  /** @override */
  drawn() {
    this.#arrange();
  }

  /** Start the sound of all, from within a person's tap. */
  async play() {
    await Promise.all(this.#tiles().map((tile) => tile.play()));
  }

  /** @param {object} key @returns {import('./tile.js').KlatchTile | undefined} */
  tileOf(key) {
    return this.#tiles().find((tile) => tile.props.key === key);
  }

  #tiles() {
    return /** @type {import('./tile.js').KlatchTile[]} */ ([...this.need('ul').querySelectorAll('klatch-tile')]);
  }

  #arrange() {
    const list = this.find('ul');
    if (!list) return;
    const large = this.props.tiles.findIndex((tile) => tile.large);
    const boxes = placeTiles(list.children.length, this.clientWidth, this.clientHeight, GAP, large);
    for (const [at, { left, top, width, height }] of boxes.entries()) {
      const { style } = /** @type {HTMLElement} */ (list.children[at]);
      for (const [name, px] of Object.entries({ left, top, width, height })) style.setProperty(`--${name}`, `${px}px`);
    }
  }
}

define('klatch-grid', KlatchGrid);
