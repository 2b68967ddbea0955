import { css } from './css.js';

export const chatStyle = css`
:host { block-size: 100%; min-block-size: 0; }
section {
  block-size: 100%; display: grid; grid-template: auto minmax(0, 1fr) auto auto / minmax(0, 1fr); background: var(--surface);
}
header {
  display: flex; align-items: center; justify-content: space-between; padding: .4rem .4rem .4rem 1rem;
  border-block-end: 1px solid var(--line);
}
h2 { font-size: 1.0625rem; }
.plain {
  flex: none; display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; border: 0;
  border-radius: 50%; background: none; color: var(--text);
}
.plain:hover { background: var(--raised); }
.log {
  overflow-y: auto; overscroll-behavior: contain; padding: .75rem 1rem; display: flex; flex-direction: column;
}
.lines { flex: 1 0 auto; display: flex; flex-direction: column; gap: .2rem; min-inline-size: 0; }
.log:focus-visible { outline-offset: -3px; }
.empty { margin: auto; max-inline-size: 26ch; text-align: center; color: var(--muted); text-wrap: pretty; }
article { display: grid; grid-template-columns: minmax(0, 1fr); justify-items: start; margin-block-start: .6rem; }
article:first-of-type { margin-block-start: auto; }
.divider ~ article:first-of-type { margin-block-start: .6rem; }
article[data-together] { margin-block-start: 0; position: relative; }
article[data-mine] { justify-items: end; }
.head {
  display: flex; align-items: center; flex-wrap: wrap; gap: 0 .5rem; font-size: .875rem; margin-block-end: .15rem;
  max-inline-size: 100%;
}
.head b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
time { color: var(--muted); font-size: .8125rem; flex: none; }
.text {
  max-inline-size: min(100%, 34rem); padding: .4rem .75rem; border-radius: 1rem; background: var(--raised);
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.4;
}
[data-mine] .text { background: var(--accent-soft); }
.head .alone {
  display: inline-flex; align-items: center; gap: .25rem; color: var(--muted); min-inline-size: 0;
}
.alone .icon { inline-size: 1em; block-size: 1em; }
.alone span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
[data-mine] .head { justify-content: end; }
.detour {
  display: flex; align-items: center; gap: .3rem; max-inline-size: 100%; padding-inline: .75rem; color: var(--muted);
  font-size: .8125rem; overflow-wrap: anywhere;
}
.detour .icon { flex: none; inline-size: 1em; block-size: 1em; }
[data-alone] .text { border: 1.5px dashed var(--edge); }
[data-before] .text { background: none; border: 1px solid var(--line); }
.text a { color: inherit; text-decoration-thickness: 1px; text-underline-offset: .15em; }
.divider {
  margin-block: .5rem; color: var(--muted); font-size: .875rem; text-align: center; text-wrap: balance;
}
.divider:first-of-type { margin-block-start: auto; }
.writers {
  min-block-size: 1.35rem; padding-inline: 1rem; color: var(--muted); font-size: .875rem; line-height: 1.35rem;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
form { display: grid; grid-template-columns: minmax(0, 1fr); gap: .4rem; padding: .5rem .4rem .6rem; border-block-start: 1px solid var(--line); }
form[data-alone] { background: var(--warn-soft); color: var(--warn-text); }
.write { display: flex; align-items: end; gap: .25rem; }
.to { display: flex; align-items: center; gap: .5rem; padding-inline: .7rem .2rem; font-size: .9375rem; min-inline-size: 0; }
.to .icon { inline-size: 1.15em; block-size: 1.15em; }
.to select {
  flex: 1; min-inline-size: 0; min-block-size: 2.75rem; padding: .2rem .6rem; border: 1px solid var(--edge);
  border-radius: .7rem; background: var(--surface); color: var(--text); text-overflow: ellipsis;
}
.refused { padding-inline: .7rem; color: var(--danger-text); font-size: .9375rem; }
[data-alone] .plain:not(.send) { color: inherit; }
[data-alone] textarea { color: var(--text); }
textarea::placeholder { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
textarea {
  flex: 1; min-inline-size: 0; min-block-size: 2.75rem; max-block-size: 8.5rem; resize: none;
  padding: .6rem .9rem; line-height: 1.35; border-radius: 1.4rem; border: 1px solid var(--edge);
  background: var(--surface);
}
.send { background: var(--accent); color: var(--on-accent); }
.plain.send:hover { background: var(--accent-strong); }
`;
