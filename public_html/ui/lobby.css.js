import { css } from './css.js';

export const lobbyStyle = css`
:host { block-size: 100%; overflow-y: auto; container-type: inline-size; }
.lobby {
  min-block-size: 100%; inline-size: 100%; max-inline-size: 30rem; margin-inline: auto; display: grid;
  align-content: safe center; gap: .9rem;
  padding-block: max(1rem, env(safe-area-inset-top)) max(1rem, env(safe-area-inset-bottom));
  padding-inline: max(1rem, env(safe-area-inset-left)) max(1rem, env(safe-area-inset-right));
}
header { display: grid; gap: .2rem; min-inline-size: 0; }
h1 { font-size: 1.5rem; line-height: 1.2; letter-spacing: -.01em; }
.room { display: flex; align-items: center; gap: .4rem; color: var(--muted); min-inline-size: 0; }
.room .icon { inline-size: 1.1em; block-size: 1.1em; }
.room b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }

.preview {
  position: relative; aspect-ratio: 4 / 3; max-block-size: 34dvh; min-block-size: 9rem; inline-size: 100%;
  overflow: hidden; border-radius: 1.25rem; background: var(--tile); display: grid; place-items: center;
}
.preview video {
  position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover; transform: scaleX(-1);
}
.preview[data-off] { max-block-size: 24dvh; }
.preview[data-off] video { visibility: hidden; }
.off { padding: 1rem 1rem 4.5rem; color: var(--muted); text-align: center; text-wrap: balance; }
.toggles {
  position: absolute; inset-block-end: .75rem; inset-inline: 0; display: flex; justify-content: center;
  gap: .75rem;
}
.toggle {
  position: relative; overflow: hidden; display: grid; place-items: center; inline-size: 3.25rem;
  block-size: 3.25rem; border-radius: 50%; border: 2px solid transparent; background: rgb(18 15 12 / .82);
  color: #fff;
}
.toggle[aria-pressed="false"] { background: var(--danger); color: var(--on-danger); }
.toggle:focus-visible { outline-color: #fff; box-shadow: 0 0 0 5px #1257c8; }
.toggle .icon { position: relative; }
.level {
  position: absolute; inset: 0; background: #2c9a5e; transform-origin: bottom;
  transform: scaleY(var(--level, 0)); transition: transform .08s linear;
}

form { display: grid; gap: .9rem; min-inline-size: 0; }
.problems { display: grid; gap: .6rem; }
/* They stay in the page, so that readers say what comes into them, but take no place. */
.problems[data-none] { position: absolute; }
.problem {
  display: flex; gap: .7rem; padding: .8rem 1rem; border-radius: 1rem; background: var(--warn-soft);
  color: var(--warn-text); line-height: 1.4;
}
.problem.told { background: var(--accent-soft); color: var(--text); }
.problem.grave { background: var(--danger-soft); color: var(--danger-text); }
.problem > div {
  display: grid; gap: .2rem; justify-items: start; min-inline-size: 0; overflow-wrap: anywhere;
}
.problem .title { font-weight: 700; }
.problem a { color: inherit; font-weight: 600; }
.without {
  display: flex; align-items: center; justify-content: space-between; gap: .75rem; color: var(--muted);
  font-size: .9375rem; line-height: 1.4;
}
.without .button { flex: none; font-size: 1rem; }
.act {
  position: sticky; inset-block-end: 0; z-index: 1; display: grid; grid-auto-flow: column;
  grid-auto-columns: 1fr; gap: .75rem; align-items: center; margin: -.4rem -1rem;
  padding: .4rem 1rem max(.4rem, env(safe-area-inset-bottom));
  background: linear-gradient(transparent, var(--ground) .5rem);
}
.act:focus { outline: none; }
.act.stacked { grid-auto-flow: row; gap: .5rem; }
.join { min-block-size: 3.25rem; font-size: 1.125rem; }
.joining { display: flex; align-items: center; gap: .6rem; min-block-size: 3.25rem; }
.spinner {
  inline-size: 1.2em; block-size: 1.2em; border-radius: 50%; border: 2.5px solid var(--line);
  border-block-start-color: var(--accent); animation: turn 1s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }
.small { font-size: .8125rem; line-height: 1.45; color: var(--muted); text-wrap: pretty; }

@container (min-width: 52rem) {
  .lobby {
    max-inline-size: 78rem; grid-template-columns: minmax(0, 1.5fr) minmax(19rem, 1fr); gap: 1.25rem 2.5rem;
    padding-inline: 2.5rem; align-content: center; align-items: center;
  }
  header { grid-column: 2; align-self: end; }
  .preview { grid-column: 1; grid-row: 1 / span 2; max-block-size: 74dvh; }
  .preview[data-off] { max-block-size: 74dvh; }
  h1 { font-size: 2.1rem; }
  form { grid-column: 2; align-self: start; }
}
/* A flat window, as a phone held sideways. */
@container (min-width: 34rem) {
  @media (max-height: 34rem) {
    .lobby {
      max-inline-size: none; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .5rem 1.25rem;
      align-content: safe center;
    }
    header { grid-column: 2; align-self: end; } h1 { font-size: 1.25rem; }
    .preview { grid-column: 1; grid-row: 1 / span 2; max-block-size: 80dvh; align-self: start; }
    .preview[data-off] { max-block-size: 80dvh; }
    form { grid-column: 2; gap: .6rem; }
  }
}
@media (forced-colors: active) { .toggle { border-color: ButtonText; } }
`;
