import { css } from './css.js';

export const callStyle = css`
:host { block-size: 100%; min-block-size: 0; overflow: hidden; }
.call {
  position: relative; block-size: 100%; display: grid;
  grid-template:
    "top top" auto
    "banner banner" auto
    "stage side" minmax(0, 1fr)
    "controls side" auto / minmax(0, 1fr) auto;
  padding-block: env(safe-area-inset-top) env(safe-area-inset-bottom);
  padding-inline: env(safe-area-inset-left) env(safe-area-inset-right);
}
.top {
  grid-area: top; display: flex; align-items: center; gap: .6rem; min-inline-size: 0;
  padding: .4rem .5rem .4rem .9rem;
}
.room { display: flex; align-items: center; gap: .4rem; min-inline-size: 4.5rem; flex: 1 0; }
.room .icon { inline-size: 1.15em; block-size: 1.15em; color: var(--muted); }
h1:focus { outline: none; }
h1 { font-size: 1.0625rem; font-weight: 650; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.locked { display: grid; flex: none; color: var(--muted); }
.locked .icon { inline-size: 1.2em; block-size: 1.2em; }
.count {
  display: flex; align-items: center; gap: .45rem; flex: 0 1 auto; min-inline-size: 0; overflow: hidden; padding: .25rem .75rem; border-radius: 999px;
  background: var(--raised); font-size: .875rem; font-weight: 600; white-space: nowrap;
}
.count::before {
  content: ""; flex: none; inline-size: .6rem; block-size: .6rem; border-radius: 50%; background: var(--good);
}
.count[data-part]::before { background: var(--pending); }
.count[data-none]::before { background: var(--gone); }
.copy { flex: none; }

.banners { grid-area: banner; min-inline-size: 0; }
.carrying {
  padding: 0 .9rem .4rem; color: var(--muted); font-size: .875rem; line-height: 1.35; overflow-wrap: anywhere;
}
.banner {
  display: flex; align-items: center; gap: .6rem; margin: 0 .5rem .5rem;
  padding: .5rem .9rem; border-radius: .9rem; background: var(--warn-soft); color: var(--warn-text);
  font-size: .9375rem; line-height: 1.35;
}
.stage { grid-area: stage; position: relative; min-inline-size: 0; min-block-size: 0; padding: 0 .5rem; }
.sound {
  position: absolute; inset: 0; z-index: 2; display: grid; place-content: center; justify-items: center;
  gap: .5rem;
}
.sound .button {
  min-block-size: 3.5rem; padding-inline: 1.6rem; font-size: 1.0625rem; box-shadow: var(--shadow);
}
.sound p {
  padding: .3rem .9rem; max-inline-size: 90%; border-radius: 1rem; background: rgb(18 15 12 / .82);
  color: #fff; font-size: .875rem; text-align: center;
}
klatch-controls { grid-area: controls; }
klatch-notices { position: absolute; z-index: 3; inset-block-start: .6rem; inset-inline: .75rem; }
.byhand {
  position: absolute; z-index: 4; inset-block-start: .6rem; inset-inline: .75rem; margin-inline: auto;
  max-inline-size: 28rem; display: grid; gap: .5rem; padding: .75rem 1rem 1rem; border-radius: 1rem;
  background: var(--surface); border: 1px solid var(--line); box-shadow: var(--shadow);
}
.byhand div { display: flex; align-items: center; justify-content: space-between; }
.byhand input {
  min-inline-size: 0; min-block-size: 2.5rem; padding: .3rem .7rem; border: 1px solid var(--edge);
  border-radius: .7rem; background: var(--ground);
}
.plain {
  display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; border: 0;
  border-radius: 50%; background: none;
}

klatch-chat { grid-area: side; }
.drop {
  position: absolute; inset: .5rem; z-index: 6; display: grid; place-items: center; pointer-events: none;
  border: 3px dashed var(--accent); border-radius: 1.2rem; background: rgb(18 15 12 / .55);
}
.drop p {
  display: flex; align-items: center; gap: .6rem; margin: 1rem; padding: .8rem 1.2rem; border-radius: 1rem;
  background: var(--surface); font-weight: 600; box-shadow: var(--shadow);
}
:host([data-wide]) klatch-chat {
  inline-size: clamp(19rem, 26vi, 25rem); margin: 0 .5rem .6rem 0; border: 1px solid var(--line);
  border-radius: 1rem; overflow: hidden;
}
:host(:not([data-wide])) klatch-chat { grid-area: 3 / 1 / 5 / 3; z-index: 5; }
:host([data-rail]) .call {
  grid-template:
    "top controls" auto
    "banner controls" auto
    "stage controls" minmax(0, 1fr) / minmax(0, 1fr) auto;
}
:host([data-rail]) .top { padding-block: .1rem; }
:host([data-rail]) klatch-chat { grid-area: 3 / 1 / 4 / 2; z-index: 5; }
:host([data-rail]) .stage { padding-block-end: .5rem; }
:host([data-tight]) .copy span {
  position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%);
}
:host([data-tight]) .copy { padding: 0; inline-size: 2.75rem; }
:host([data-tight]) h1 { font-size: .9375rem; }
:host([data-tight]) .count { padding-inline: .6rem; font-size: .8125rem; }
:host([data-tight]) .top { padding-inline-start: .75rem; gap: .4rem; }
`;
