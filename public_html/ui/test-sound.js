// Two notes, to hear whether the loudspeaker is the right one.

const RATE = 22_050;
const NOTES_HZ = [523.25, 783.99];
const NOTE_S = 0.35;
const LOUD = 0.3;

/** @returns {Blob} a WAV file: 16 bits, one channel */
function notes() {
  const each = Math.round(RATE * NOTE_S);
  const count = each * NOTES_HZ.length;
  const view = new DataView(new ArrayBuffer(44 + count * 2));
  const word = (/** @type {number} */ at, /** @type {string} */ text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, 'RIFF');
  view.setUint32(4, 36 + count * 2, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, 'data');
  view.setUint32(40, count * 2, true);
  for (let at = 0; at < count; at += 1) {
    const [hz, within] = [NOTES_HZ[Math.floor(at / each)] ?? 0, at % each];
    const fade = Math.min(1, within / 400) * (1 - within / each);
    view.setInt16(44 + at * 2, Math.sin((2 * Math.PI * hz * within) / RATE) * fade * LOUD * 32_767, true);
  }
  return new Blob([view], { type: 'audio/wav' });
}

/**
 * Call it from a click.
 * @param {string} speaker a loudspeaker's id; empty for the browser's choice
 * @returns {Promise<void>} when it has sounded
 */
export async function playTestSound(speaker) {
  const address = URL.createObjectURL(notes());
  const sound = new Audio(address);
  try {
    if (speaker && 'setSinkId' in sound) await sound.setSinkId(speaker).catch(() => {});
    await sound.play();
    await new Promise((resolve) => {
      sound.addEventListener('ended', resolve, { once: true });
      sound.addEventListener('error', resolve, { once: true });
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}
