import { css } from './css.js';

// White on these grounds has at least 4.5:1 in either theme.
const hues = ['#7a4b8f', '#2f6b8a', '#2d7154', '#8a5a1f', '#a3453d', '#4a5aa8', '#6a6a24', '#8b3f68'];

export const tileStyle = css`
:host { inline-size: 100%; block-size: 100%; container-type: size; }
.tile {
  position: relative; inline-size: 100%; block-size: 100%; overflow: hidden;
  border-radius: min(1rem, 6cqmin); background: var(--tile); display: grid; place-items: center;
}
video {
  position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover;
  visibility: hidden;
}
video[data-whole] { object-fit: contain; background: #16130f; }
[data-picture] video { visibility: visible; }
[data-mine] video { transform: scaleX(-1); }
[data-state="reconnecting"] video, [data-state="away"] video { filter: grayscale(.8) brightness(.55); }

.initial {
  inline-size: clamp(2.5rem, 38cqmin, 9rem); aspect-ratio: 1; border-radius: 50%;
  display: grid; place-items: center; color: #fff; font-size: clamp(1.2rem, 18cqmin, 4.4rem); font-weight: 600;
  line-height: 1; background: var(--hue);
}
${hues.map((hue, i) => `.hue-${i} { --hue: ${hue}; }`).join('\n')}

.strip {
  position: absolute; inset-block-end: .5rem; inset-inline-start: .5rem; max-inline-size: calc(100% - 3.6rem);
  display: flex; align-items: center; gap: .4rem; padding: .2rem .6rem; border-radius: 999px;
  background: rgb(18 15 12 / .78); color: #fff; font-size: .875rem; line-height: 1.4;
}
.strip .icon { inline-size: 1.1em; block-size: 1.1em; color: #ffc2bb; }
.host { display: grid; flex: none; }
.strip .host .icon { color: #ffd88a; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
.tag { padding: 0 .4em; border: 1px solid rgb(255 255 255 / .5); border-radius: .4em; font-size: .75rem; }
.dot { flex: none; inline-size: .55rem; block-size: .55rem; border-radius: 50%; background: var(--pending); }
[data-state="connected"] .dot { background: var(--good); }
[data-state="no-path"] .dot { background: var(--bad); }
[data-state="away"] .dot { background: var(--gone); }
[data-mine] .dot { display: none; }
[data-screen] .dot { display: none; }
[data-screen] .strip .icon { color: #fff; }

.menu {
  position: absolute; inset-block-end: .3rem; inset-inline-end: .3rem; display: grid; place-items: center;
  inline-size: 2.25rem; block-size: 2.25rem; border: 0; border-radius: 50%; background: rgb(18 15 12 / .78);
  color: #fff;
}
.menu:hover { background: rgb(18 15 12); }
.menu:focus-visible { outline-color: #fff; box-shadow: 0 0 0 5px #1257c8; outline-offset: 0; }
.menu .icon { inline-size: 1.25em; block-size: 1.25em; }
/* Small to look at, large enough for a thumb. */
.menu::before { content: ""; position: absolute; inset: -.3rem; }
/* Above the picture, which would hide a shadow of the tile's own. */
.tile::after {
  content: ""; position: absolute; inset: 0; border-radius: inherit; border: 3px solid transparent; pointer-events: none;
}
.tile[data-speaking]::after { border-color: var(--good); }
:host(:fullscreen) .tile { border-radius: 0; }
:host(:fullscreen) video { object-fit: contain; }

.cover {
  position: absolute; inset: 0 0 auto; padding: .6rem .75rem; display: grid; gap: .15rem;
  justify-items: start; color: #fff; font-size: .875rem; line-height: 1.35;
}
.cover p {
  display: flex; align-items: center; gap: .45rem; padding: .2rem .6rem; border-radius: .8rem;
  background: rgb(18 15 12 / .78); font-weight: 600; max-inline-size: 100%; min-inline-size: 0;
}
.cover p span:last-child { min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; }
.cover p.more { font-weight: 400; }
.cover .icon { inline-size: 1.2em; block-size: 1.2em; }
.spinner {
  flex: none; inline-size: 1em; block-size: 1em; border-radius: 50%; border: 2px solid rgb(255 255 255 / .35);
  border-block-start-color: #fff; animation: turn 1s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }

@container (max-height: 9rem) or (max-width: 12rem) {
  .strip { inset-block-end: .3rem; inset-inline-start: .3rem; max-inline-size: calc(100% - .6rem); font-size: .8125rem;
    padding: .1rem .5rem; }
  .menu { inset-block: .2rem auto; inset-inline-end: .2rem; inline-size: 1.9rem; block-size: 1.9rem; }
  .menu::before { inset: -.2rem; inset-block-end: -.65rem; inset-inline-start: -.65rem; }
  .cover p { gap: .3rem; padding-inline: .45rem; }
  .cover .spinner { display: none; }
  .cover { padding: .3rem; padding-inline-end: 2.3rem; font-size: .75rem; }
}
/* No place for words: the sign alone, and the label says it to screen readers. */
@container (max-width: 8.9rem) {
  .cover p { padding: .3rem; }
  .cover p span:last-child { display: none; }
  .cover .spinner { display: block; }
}
@container (max-height: 13rem) or (max-width: 15rem) { .cover p.more { display: none; } }
@container (max-height: 7rem) {
  .initial { margin-block-end: 1.4rem; }
}
`;
