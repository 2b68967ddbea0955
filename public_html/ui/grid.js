// Everybody's tiles, as large as the box allows and never larger: no scrollbars. Alone, the
// place of the other person is taken by an invitation.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { Part } from './part.js';
import { fitTiles } from './layout.js';
import { gridStyle } from './grid.css.js';
import { KlatchTile } from './tile.js';
import './invite.js';

/**
 * @typedef {object} GridProps
 * @property {import('./tile.js').TileProps[]} tiles in the order of the screen
 * @property {import('./invite.js').InviteProps | null} invite
 * @property {import('./strings.js').Texts} t
 */

const GAP = 8;

/**
 * Emits what tiles and invitation do: 'sound-blocked', 'copy-link'.
 * @extends {Part<GridProps>}
 */
export class KlatchGrid extends Part {
  /** @override */
  static styles = [gridStyle];

  #watch = new ResizeObserver(() => this.#arrange());

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#watch.observe(this);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#watch.disconnect();
  }

  /** @override */
  view() {
    const { tiles, invite, t } = this.props;
    return html`<ul aria-label=${t('call.people')} @sound-blocked=${this.relay} @copy-link=${this.relay}>
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
    const tiles = [...this.need('ul').querySelectorAll('klatch-tile')];
    await Promise.all(tiles.map((tile) => (tile instanceof KlatchTile ? tile.play() : undefined)));
  }

  #arrange() {
    const list = this.find('ul');
    if (!list) return;
    const { columns, width, height } = fitTiles(list.children.length, this.clientWidth, this.clientHeight, GAP);
    list.style.setProperty('--width', `${width}px`);
    list.style.setProperty('--height', `${height}px`);
    list.style.setProperty('--across', `${columns * width + (columns - 1) * GAP}px`);
  }
}

customElements.define('klatch-grid', KlatchGrid);
