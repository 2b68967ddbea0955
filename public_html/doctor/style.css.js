// The doctor's own shapes; colours and buttons are the chat page's (ui/theme.css.js, ui/base.css.js).
const style = new CSSStyleSheet();
style.replaceSync(`
:host { background: var(--ground); color: var(--text); line-height: 1.5; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { font-size: 1.125rem; line-height: 1.3; }
h3 { font-size: 1rem; line-height: 1.35; }
p, li, dd { text-wrap: pretty; }
header { display: grid; gap: .75rem; margin-block-end: 1.5rem; }
.lead { color: var(--muted); max-inline-size: 60ch; }
.now { display: grid; gap: .4rem; margin-block-start: .5rem; }
.verdict { display: flex; align-items: center; gap: .6rem; font-size: 1.25rem; font-weight: 700; line-height: 1.3; }
.verdict::before { content: ""; flex: none; inline-size: .9rem; block-size: .9rem; border-radius: 50%; background: var(--gone); }
.verdict[data-state="good"]::before { background: var(--good); }
.verdict[data-state="warn"]::before { background: var(--pending); }
.verdict[data-state="bad"]::before { background: var(--bad); }
.verdict[data-state="running"]::before {
  background: none; border: 2.5px solid var(--line); border-block-start-color: var(--accent); animation: turn 1s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }
.counts { color: var(--muted); font-size: .9375rem; }
.counts:empty { display: none; }
progress { inline-size: 100%; max-inline-size: 36rem; block-size: .5rem; border: 0; border-radius: 99px; overflow: hidden; background: var(--raised); accent-color: var(--accent); }
progress::-webkit-progress-bar { background: var(--raised); }
progress::-webkit-progress-value { background: var(--accent); border-radius: 99px; transition: inline-size .3s; }
progress::-moz-progress-bar { background: var(--accent); border-radius: 99px; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; }
a.button { text-decoration: none; }

.columns, .side, .results { display: grid; gap: 1.25rem; align-content: start; min-inline-size: 0; }
.columns { gap: 1.5rem; }
.results > section:not(.panel) { display: grid; gap: .75rem; min-inline-size: 0; }
.finding, .panel {
  display: grid; gap: .5rem; padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: 1rem;
  background: var(--surface); min-inline-size: 0; overflow-wrap: anywhere;
}
.finding { position: relative; border-inline-start-width: .4rem; }
.finding.bad { border-inline-start-color: var(--bad); }
.finding.warn { border-inline-start-color: var(--pending); }
.finding.info { border-inline-start-color: var(--edge); }
.code { justify-self: start; padding: .05rem .5rem; border-radius: .4rem; background: var(--raised); font: 600 .8125rem/1.6 ui-monospace, monospace; }
.todo ol { display: grid; gap: .35rem; padding-inline-start: 1.4rem; list-style: decimal; margin-block-start: .25rem; }
.good { display: grid; gap: .4rem; }
.good li { position: relative; padding-inline-start: 1.6rem; }
.good li::before, .sign::before { content: ""; position: absolute; }
.good li::before, [data-state="done"] .sign::before {
  inset-inline-start: .35rem; inset-block-start: .3em; inline-size: .4rem; block-size: .75rem; border: solid var(--good);
  border-width: 0 2.5px 2.5px 0; transform: rotate(40deg);
}

.checks { display: grid; gap: .45rem; font-size: .9375rem; }
.checks li { position: relative; padding-inline-start: 1.6rem; color: var(--muted); }
.checks [data-state="running"], .checks [data-state="done"] { color: var(--text); }
.checks [data-state="waiting"] .sign::before, .checks [data-state="skipped"] .sign::before {
  inset-inline-start: .3rem; inset-block-start: .65em; inline-size: .6rem; border-block-start: 2px solid var(--gone);
}
.checks [data-state="running"] .sign::before {
  inset-inline-start: .15rem; inset-block-start: .25em; inline-size: .9rem; block-size: .9rem; border-radius: 50%;
  border: 2.5px solid var(--line); border-block-start-color: var(--accent); animation: turn 1s linear infinite;
}
.checks [data-worst="bad"] .sign::before, .checks [data-worst="warn"] .sign::before {
  inset-inline-start: .25rem; inset-block-start: .4em; inline-size: .7rem; block-size: .7rem; border: 0; border-radius: 50%;
  transform: none; background: var(--pending);
}
.checks [data-worst="bad"] .sign::before { background: var(--bad); }
.detail { display: block; color: var(--muted); font-size: .875rem; }

.panel p { font-size: .9375rem; color: var(--muted); }
.panel > .button { justify-self: start; }
.owner { display: grid; gap: .75rem; justify-items: start; }
.owner .field { inline-size: 100%; }
.said:empty, .copied:empty { display: none; }
.panel .said, .panel .copied { color: var(--text); font-weight: 600; }
pre {
  margin: 0; padding: .7rem .9rem; border-radius: .7rem; background: var(--raised); overflow-x: auto;
  font: .9375rem/1.5 ui-monospace, monospace;
}
textarea { inline-size: 100%; padding: .6rem; border: 1px solid var(--edge); border-radius: .7rem; background: var(--surface); font: .8125rem/1.5 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .15rem .9rem; margin: .4rem 0 0; font-size: .875rem; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }

@media (min-width: 60rem) {
  .columns { grid-template-columns: minmax(0, 1.7fr) minmax(18rem, 1fr); gap: 2rem; }
  h1 { font-size: 2.1rem; }
}
@media (forced-colors: active) {
  .finding.bad { border-inline-start-style: double; }
}
`);

export { style };
