// The Markdown of one run.
import { figures } from './figures.mjs';

const number = (value, digits) => (value === undefined || !Number.isFinite(value)
  ? '–' : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const times = (value, of) => (value === undefined || of === undefined ? '–' : `${(value / of).toFixed(2)} x`);
const percent = (value, digits = 0) => (value === undefined ? '–' : `${(value * 100).toFixed(digits)}%`);
const row = (cells) => `| ${cells.join(' | ')} |`;

function table(heads, rows) {
  return [row(heads), row(heads.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(row)].join('\n');
}

function talkTable(rows, floor) {
  return table([
    'system', 'delivery p50 ms', 'p95', 'p99', 'p50 to floor', 'p95 to floor', 'at 500/s p50', 'p99',
    '16 join one room ms', '200 rooms of 4: messages/s', 'server CPU s per 1,000', 'generator\'s share of CPU',
    'lost, doubled, disordered',
  ], rows.map((r) => [
    r.label, number(r.delivery.p50, 3), number(r.delivery.p95, 3), number(r.delivery.p99, 3),
    times(r.delivery.p50, floor?.delivery.p50), times(r.delivery.p95, floor?.delivery.p95),
    number(r.rate.p50, 3), number(r.rate.p99, 3), number(r.one.ms, 0), number(r.many.perSecond, 0),
    number(r.many.cpu, 3), percent(r.many.share),
    `${r.tally.lost}, ${r.tally.doubled}, ${r.tally.disordered}`,
  ]));
}

function waitingTable(rows, floor) {
  return table([
    'system', 'waiters', 'kB each, all processes', 'without nginx', 'CPU while idle, of a core', 'to floor',
    'delivery p50 beside them ms', 'p95', 'p50 to alone',
  ], rows.map((r) => [
    r.label, number(r.waiting.count, 0), number(r.waiting.kB, 1), number(r.waiting.ownKB, 1),
    percent(r.waiting.idle, 2), times(r.waiting.idle, floor?.waiting.idle),
    number(r.waiting.p50, 3), number(r.waiting.p95, 3), times(r.waiting.p50, r.delivery.p50),
  ]));
}

function emptyTable(rows) {
  return table(['an empty request (Klatch: health) through nginx', 'p50 ms', 'p95', 'p99', 'requests/s, 16 connections', 'server CPU s per 1,000'],
    rows.map((r) => [
      r.label, number(r.empty.p50, 3), number(r.empty.p95, 3), number(r.empty.p99, 3), number(r.emptyRate, 0),
      number(r.emptyCpu, 3),
    ]));
}

function cgiTable({ cgi }) {
  const lines = [['an empty static program', cgi.empty], ['Klatch: an empty poll', cgi.poll], ['Klatch: a send', cgi.send]];
  return table(['plain CGI under lighttpd', 'p50 ms', 'p95', 'p99', 'p50 above empty ms'], lines.map(([name, t]) => [
    name, number(t.p50, 3), number(t.p95, 3), number(t.p99, 3), number(t.p50 - cgi.empty.p50, 3),
  ]));
}

function curveTable({ name, of, points }) {
  return table([`Klatch: ${name}`, `${of} p50 ms`, 'p95', 'server CPU s per 1,000 messages'], points.map((p) => [
    number(p.size, 0), number(p.ms, 3), number(p.p95, 3), number(p.cpu, 3),
  ]));
}

/** The aims, each beside what this run says. */
function aims(all) {
  const by = (name) => all.find((r) => r.name === name);
  const [k, f, ws, polling, peer, cgi] = ['klatch', 'floor', 'socketio', 'socketio-polling', 'peerserver', 'cgi'].map(by);
  const lines = [];
  const aim = (text, value, bound, digits = 3) => {
    if (value === undefined || bound === undefined || !Number.isFinite(value) || !Number.isFinite(bound)) return;
    lines.push([text, number(value, digits), number(bound, digits), value <= bound ? 'yes' : '**no**']);
  };
  if (!k) return '';
  aim('delivery p50, 1.6 times the floor', k.delivery.p50, 1.6 * f?.delivery.p50);
  aim('delivery p95, 2 times the floor', k.delivery.p95, 2 * f?.delivery.p95);
  aim('delivery p50, socket.io polling', k.delivery.p50, polling?.delivery.p50);
  aim('delivery p50, socket.io WebSocket (the aim)', k.delivery.p50, ws?.delivery.p50);
  aim(`delivery p50 beside ${number(k.waiting.count, 0)} waiters, within 20%`, k.waiting.p50, 1.2 * k.delivery.p50);
  aim(`delivery p50 beside ${number(k.disk.count / 2, 0)} rooms on disk, within 20%`, k.disk.p50, 1.2 * k.delivery.p50);
  aim('16 join one room ms, PeerServer', k.one.ms, peer?.one.ms, 1);
  aim('200 rooms of 4, ms a message, socket.io WebSocket', 1000 / k.many.perSecond, 1000 / (ws?.many.perSecond ?? NaN), 4);
  aim('server CPU s per 1,000 messages there, socket.io WebSocket', k.many.cpu, ws?.many.cpu, 4);
  aim('kB for each waiter, all processes', k.waiting.kB, 11, 1);
  aim('kB for each waiter, without nginx', k.waiting.ownKB, 1, 1);
  aim('CPU while idle, 3 times the floor', k.waiting.idle * 100, 3 * 100 * (f?.waiting.idle ?? NaN), 2);
  aim('plain CGI: a send, ms, empty program + 1', cgi?.cgi.send.p50, cgi?.cgi.empty.p50 + 1);
  aim('plain CGI: an empty poll, ms, empty program + 1', cgi?.cgi.poll.p50, cgi?.cgi.empty.p50 + 1);
  return `${table(['what Klatch aims at', 'measured', 'at most', 'met'], lines)}\n`;
}

function notes(results, all) {
  const k = all.find(({ name }) => name === 'klatch');
  const php = all.find(({ name }) => name === 'php');
  const lines = [
    'Klatch stores each message in SQLite before its sender is answered; the others keep theirs in memory, but for PHP.',
    'The Node and Python servers stand bare, without nginx in front, but where its name says so; CPU and memory of all others count nginx.',
    'A join is 14 messages a pair: an offer and an answer of 2.5 kB, six candidates of 150 bytes each way. Klatch\'s SDK and socket.io\'s polling send what one turn wrote in one request; the others\' clients send each message by itself. The clock runs from the first connect.',
    'Floors, nchan, PHP and PeerServer have no rooms: there the generator tells peers of each other, at no cost to the server. nchan\'s buffer is raised from its default of 10 messages, which loses some.',
    'CPU is the scheduler\'s own count of each process; memory is PSS, so what the kernel keeps for a socket is in nobody\'s. The generator is one C process.',
    `Klatch is the program that the zip holds: linked statically, ${number(results.binary / 1000, 0)} kB.`,
  ];
  if (k?.waiting1000.ownKB !== undefined) {
    lines.push(`A parked poll costs Klatch's processes ${number(k.waiting1000.ownKB, 1)} kB at ${number(k.waiting1000.count, 0)}.`);
  }
  if (php?.process !== undefined) lines.push(`A poll of the PHP loop holds a process of ${number(php.process, 0)} kB.`);
  if (k?.tally.busy > 0) lines.push(`Klatch answered ${k.tally.busy} joins with 503 after 2 s; they were asked again.`);
  lines.push(...results.missing);
  for (const { label, errors } of Object.values(results.systems)) {
    for (const error of new Set(errors)) lines.push(`${label}: ${error}`);
  }
  return lines.map((line) => `- ${line}`).join('\n');
}

export function report(results, plotFiles) {
  const { about } = results;
  const all = figures(results);
  const floor = all.find(({ name }) => name === 'floor');
  const parts = [
    '# Klatch beside others',
    `${about.when}, ${about.cores} cores (${about.cpu}), Linux ${about.kernel}, Node ${about.node}, ${about.full ? 'full' : 'quick'} form, ${about.laps === 1 ? 'one lap' : `medians of ${about.laps} laps`}, ${about.seconds} s. Load at the start ${about.load.toFixed(1)}: other work on the machine shows here.`,
    talkTable(all.filter((r) => r.delivery.p50 !== undefined), floor),
    waitingTable(all.filter((r) => r.waiting.count > 0), floor),
    emptyTable(all.filter((r) => r.emptyRate !== undefined)),
    ...all.filter((r) => r.cgi.send.p50 !== undefined).map(cgiTable),
    ...results.curves.map(curveTable),
    aims(all),
    notes(results, all),
    plotFiles.map((file) => `![${file.replace(/\.svg$/, '')}](${file})`).join('\n'),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}
