/* shape: what one sender may take, by its parameters. Nothing is negotiated by it. */

/** @typedef {import('./budget.js').Limit} Limit */

/**
 * @param {RTCRtpSender} sender
 * @param {Limit} limit
 * @returns {Promise<void>} never rejects: what couldn't be set is tried again with the next limit
 */
export async function shape(sender, limit) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  // Firefox has none before the first answer.
  if (!encoding) return;
  const { kind } = sender.track ?? {};
  const picture = kind === 'video' && limit.active ? pictureOf(limit, sender.track) : {};
  const preference = limit.sharp ? 'maintain-resolution' : 'maintain-framerate';
  /** @type {Record<string, unknown>} */
  const wanted = { active: limit.active, ...(limit.active ? { maxBitrate: limit.bits } : {}), ...picture };
  /** @type {Record<string, unknown>} */
  const now = { ...encoding };
  if (Object.entries(wanted).every(([name, value]) => now[name] === value)) return;
  Object.assign(encoding, wanted);
  if (kind === 'video') Object.assign(parameters, { degradationPreference: preference });
  try {
    await sender.setParameters(parameters);
  } catch {
    // Closed, or changed in between.
  }
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
