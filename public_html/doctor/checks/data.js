// Whether the web server delivers what is private: the data folder and the configuration, at the
// places where an upload may have put them, and where the program told its owner that they are.
import { ask, inParallel } from '../ask.js';

const AT_ONCE = 4;
const FOLDERS = ['klatch-private', '../klatch-private', '../../klatch-private', 'cgi-bin/klatch-private', 'cgi-bin', '.', '..'];
/** Files that hold nothing of worth by themselves; where they are delivered, so is the rest. */
const DATA_FILES = ['data/rooms.lock', 'data/bell'];
const CONFIG_FILES = ['klatch.conf'];
const PRIVATE_FILES = ['README.txt'];

/** @typedef {import('../findings.js').Finding} Finding */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  const addresses = [...new Set(known(ctx))];
  // A site that answers any address with a page delivers no data by that.
  const nowhere = await peek(ctx, new URL(`klatch-private/${Math.random().toString(36).slice(2)}`, ctx.base).href);
  /** @type {string[]} */
  const open = [];
  await inParallel(addresses, AT_ONCE, async (address) => {
    const answer = await peek(ctx, address);
    if (isDelivered(answer) && !(isDelivered(nowhere) && answer.text === nowhere.text)) open.push(address);
  });
  const paths = open.map((address) => new URL(address).pathname).sort();
  const config = paths.filter((path) => path.endsWith('.conf'));
  const data = paths.filter((path) => !path.endsWith('.conf'));
  /** @type {Finding[]} */
  const findings = [];
  if (data.length > 0) findings.push({ code: 'K-DATA-URL', values: { where: data.join(', ') } });
  if (config.length > 0) findings.push({ code: 'K-CONFIG-URL', values: { where: config.join(', ') } });
  return findings.length > 0 ? findings : [{ good: 'data', values: { count: addresses.length } }];
}

/** @param {import('../run.js').Context} ctx @returns {string[]} */
function known({ base, told }) {
  const guessed = FOLDERS.flatMap((folder) => {
    const files = folder.endsWith('klatch-private') ? [...DATA_FILES, ...CONFIG_FILES, ...PRIVATE_FILES] : [...DATA_FILES, ...CONFIG_FILES];
    return files.map((file) => new URL(`${folder}/${file}`, base).href);
  });
  const exact = told.flatMap((address) => (address.endsWith('.conf') ? [address]
    : DATA_FILES.map((file) => `${address.replace(/\/$/, '')}/${file.replace('data/', '')}`)));
  return [...guessed, ...exact.map((address) => new URL(address, base).href)];
}

/** @param {import('../run.js').Context} ctx @param {string} address */
function peek({ signal }, address) {
  return ask(address, { signal, bytesMax: 16, headers: { Range: 'bytes=0-15' } });
}

/** An empty file of which no range can be had is answered with 416. @param {import('../ask.js').Answer} answer */
function isDelivered({ status, type, json }) {
  return (status === 200 || status === 206 || status === 416) && type !== 'text/html' && json === null;
}
