// Print deploy/CODES.md from the doctor's own words: `node deploy/codes.mjs > deploy/CODES.md`. A test
// holds the file against them.
import { FINDINGS } from '../public_html/doctor/findings.js';

const LEVELS = { bad: 'wrong', warn: 'worth mending', info: 'to know' };
const plain = (text) => text.replace(/\{(\w+)\}/g, '…').replace(/\|/g, '\\|').trim();

export function codes() {
  const lines = ['# The doctor’s codes', '',
    'Made by `deploy/codes.mjs` from `public_html/doctor/findings/`. … stands for what the doctor found on your host.', ''];
  for (const code of Object.keys(FINDINGS).sort()) {
    const { level, title, means, todo } = FINDINGS[code];
    lines.push(`## ${code}`, '', `**${plain(title)}** (${LEVELS[level]})`, '', plain(means), '');
    for (const step of todo) lines.push(`- ${plain(step)}`);
    if (todo.length) lines.push('');
  }
  return lines.join('\n');
}

if (process.argv[1] === new URL(import.meta.url).pathname) process.stdout.write(codes());
