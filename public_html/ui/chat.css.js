import { css } from './css.js';

export const chatStyle = css`
:host { block-size: 100%; min-block-size: 0; }
section {
  block-size: 100%; display: grid; grid-template-rows: auto minmax(0, 1fr) auto; background: var(--surface);
}
header {
  display: flex; align-items: center; justify-content: space-between; padding: .4rem .4rem .4rem 1rem;
  border-block-end: 1px solid var(--line);
}
h2 { font-size: 1.0625rem; }
.plain {
  display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; border: 0;
  border-radius: 50%; background: none; color: var(--text);
}
.plain:hover { background: var(--raised); }
.log {
  overflow-y: auto; overscroll-behavior: contain; padding: .75rem 1rem; display: flex; flex-direction: column;
  gap: .2rem;
}
.log:focus-visible { outline-offset: -3px; }
.empty { margin: auto; max-inline-size: 26ch; text-align: center; color: var(--muted); text-wrap: pretty; }
article { display: grid; justify-items: start; margin-block-start: .6rem; }
article:first-of-type { margin-block-start: auto; }
article[data-together] { margin-block-start: 0; position: relative; }
article[data-mine] { justify-items: end; }
.head {
  display: flex; align-items: baseline; gap: .5rem; font-size: .875rem; margin-block-end: .15rem;
  max-inline-size: 100%;
}
.head b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
time { color: var(--muted); font-size: .8125rem; flex: none; }
.text {
  max-inline-size: min(100%, 34rem); padding: .4rem .75rem; border-radius: 1rem; background: var(--raised);
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.4;
}
[data-mine] .text { background: var(--accent-soft); }
form {
  display: flex; align-items: end; gap: .35rem; padding: .6rem; border-block-start: 1px solid var(--line);
}
textarea {
  flex: 1; min-inline-size: 0; min-block-size: 2.75rem; max-block-size: 8.5rem; resize: none;
  padding: .6rem .9rem; line-height: 1.35; border-radius: 1.4rem; border: 1px solid var(--edge);
  background: var(--surface);
}
.send { background: var(--accent); color: var(--on-accent); }
.plain.send:hover { background: var(--accent-strong); }
`;
