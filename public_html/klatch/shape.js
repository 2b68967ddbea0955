/* shape: what one sender may take, by its parameters. Nothing is negotiated by it. */

/** @typedef {import('./budget.js').Limit} Limit */

/** More work than VP8 for the same picture in about half the bits; the first that both sides have. */
const RICH = ['video/AV1', 'video/VP9'];
const USUAL = 'video/VP8';

/**
 * @param {RTCRtpSender} sender
 * @param {Limit} limit
 * @returns {Promise<boolean>} false where the browser doesn't let a sender choose its codec; never
 *   rejects: what else couldn't be set is tried again with the next limit
 */
export async function shape(sender, limit) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  // Firefox has none before the first answer.
  if (!encoding) return true;
  const { kind } = sender.track ?? {};
  const picture = kind === 'video' && limit.active ? pictureOf(limit, sender.track) : {};
  const preference = limit.sharp ? 'maintain-resolution' : 'maintain-framerate';
  /** @type {Record<string, unknown>} */
  const wanted = { active: limit.active, ...(limit.active ? { maxBitrate: limit.bits } : {}), ...picture };
  /** @type {Record<string, unknown> & {codec?: RTCRtpCodec}} */
  const now = { ...encoding };
  const codec = codecOf(parameters.codecs, limit.rich === true, now.codec);
  const same = now.codec?.mimeType === codec?.mimeType;
  if (same && Object.entries(wanted).every(([name, value]) => now[name] === value)) return true;
  Object.assign(encoding, wanted, codec ? { codec } : {});
  if (kind === 'video') Object.assign(parameters, { degradationPreference: preference });
  try {
    await sender.setParameters(parameters);
  } catch {
    // Closed, or changed in between.
  }
  return same || taken(sender) !== undefined;
}

/**
 * The sender's codec, chosen among those that were agreed on, without negotiating.
 * @param {RTCRtpCodec[]} agreed
 * @param {boolean} rich
 * @param {RTCRtpCodec} [now] what was chosen before
 * @returns {RTCRtpCodec | undefined} undefined for the one that comes first by itself
 */
function codecOf(agreed = [], rich, now) {
  // H.264 is first where hardware makes it, which costs less than any of these.
  if (!now && agreed[0]?.mimeType !== USUAL) return undefined;
  // Once chosen, a codec stays until another one is.
  const types = rich ? [...RICH, USUAL] : now ? [USUAL] : [];
  return types.map((type) => agreed.find(({ mimeType }) => mimeType === type)).find(Boolean) ?? now;
}

/** @param {RTCRtpSender} sender */
function taken(sender) {
  const [encoding] = sender.getParameters().encodings ?? [];
  return /** @type {{codec?: RTCRtpCodec}} */ (encoding ?? {}).codec;
}

/**
 * @param {Limit} limit
 * @param {MediaStreamTrack | null} track
 */
function pictureOf({ height = 0, fps = 0 }, track) {
  const { width: across = 0, height: down = 0 } = track?.getSettings?.() ?? {};
  // A phone held upright has the short side across.
  const short = Math.min(across, down);
  const scale = height > 0 && short > 0 ? Math.max(1, short / height) : 1;
  return { scaleResolutionDownBy: scale, ...(fps > 0 ? { maxFramerate: fps } : {}) };
}
