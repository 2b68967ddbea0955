// What a person can copy and send to somebody who helps: figures without names, addresses
// or the room's.

/** @typedef {import('../klatch/stats.js').Reading} Reading */
/** @typedef {{state: string, frozen: boolean, reading: Reading | null}} Entry */

/** @param {number} bits a second */
export function kilobits(bits) {
  return Math.round(bits / 1000);
}

/** @param {number | null} part */
export function percent(part) {
  return part === null ? '–' : `${(part * 100).toFixed(1)}%`;
}

/** @param {number | null} ms */
export function milliseconds(ms) {
  return ms === null ? '–' : `${Math.round(ms)} ms`;
}

/**
 * The picture of a direction that has one; of several the largest.
 * @param {import('../klatch/stats.js').Stream[]} streams
 */
export function pictureOf(streams) {
  return streams.filter(({ kind, height }) => kind === 'video' && height > 0).sort((a, b) => b.height - a.height)[0] ?? null;
}

/** @param {import('../klatch/stats.js').Stream[]} streams */
export function soundOf(streams) {
  return streams.find(({ kind }) => kind === 'audio') ?? null;
}

/**
 * @param {{agent: string, quality: string, bits: number, verdict: string, entries: Entry[]}} what
 * @returns {string}
 */
export function reportOf({ agent, quality, bits, verdict, entries }) {
  const lines = ['Klatch connection report', agent, `data use ${quality}, at most ${kilobits(bits)} kbit/s to all together`, verdict];
  entries.forEach(({ state, frozen, reading }, at) => {
    lines.push('', `Person ${at + 1}: ${state}${reading?.path ? `, ${reading.path}` : ''}${frozen ? ', the picture stands still' : ''}`);
    if (!reading) return;
    lines.push(`  round trip ${milliseconds(reading.rttMs)}, loss up ${percent(reading.lossUp)}, down ${percent(reading.lossDown)}`);
    for (const [way, streams, total] of /** @type {const} */ ([['up', reading.sends, reading.up], ['down', reading.receives, reading.down]])) {
      lines.push(`  ${way} ${kilobits(total)} kbit/s`);
      for (const stream of streams) lines.push(`    ${streamLine(stream)}`);
    }
  });
  return `${lines.join('\n')}\n`;
}

/** @param {import('../klatch/stats.js').Stream} stream */
function streamLine(stream) {
  const { kind, codec, bits, width, height, fps, limitedBy, concealed, freezes, frozenS } = stream;
  const parts = [kind, codec || 'no codec', `${kilobits(bits)} kbit/s`];
  if (kind === 'video') parts.push(`${width}x${height} at ${Math.round(fps)}`);
  if (limitedBy && limitedBy !== 'none') parts.push(`limited by ${limitedBy}`);
  if (kind === 'audio' && concealed !== undefined) parts.push(`${percent(concealed)} made up`);
  if (freezes) parts.push(`${freezes} freezes, ${Math.round(frozenS ?? 0)} s`);
  return parts.join(', ');
}
