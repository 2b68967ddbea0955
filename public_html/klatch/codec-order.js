/* codec-order: puts the codec that codec.js chose first. Loaded with what makes connections. */

/**
 * Put one codec before the others, before the transceiver's first offer.
 * @param {RTCRtpTransceiver} transceiver
 * @param {RTCRtpCodec[]} known what the browser can receive
 * @param {boolean} h264
 */
export function prefer(transceiver, known, h264) {
  const first = h264 ? 'video/h264' : 'video/vp8';
  const isFirst = (/** @type {RTCRtpCodec} */ { mimeType }) => mimeType.toLowerCase() === first;
  if (!known.some(isFirst)) return;
  try {
    transceiver.setCodecPreferences([...known.filter(isFirst), ...known.filter((codec) => !isFirst(codec))]);
  } catch {
    // The browser's own order does too.
  }
}
