/* stats: what a connection does, from its browser's reports, as plain objects.
 * Rates are those between two readings; the first one has none. */

/**
 * @typedef {object} Stream one that is sent or received
 * @property {'audio' | 'video'} kind
 * @property {string} mid which of the connection's transceivers it belongs to
 * @property {number} bits a second
 * @property {string} codec like 'VP8'
 * @property {number} width
 * @property {number} height
 * @property {number} fps
 * @property {number} [busy] sent: seconds of encoding in a second
 * @property {number | null} [source] sent: frames a second that the camera gave
 * @property {string} [limitedBy] sent: 'none', 'bandwidth', 'cpu' or 'other'
 * @property {number | null} [target] sent: bits a second that the encoder is to make
 * @property {number} [concealed] received: part of the sound that was made up, 0 to 1
 * @property {number} [freezes] received: how often the picture stood still since it began
 * @property {number} [frozenS] received: for how long
 * @property {string} [track] received: the id of the track that it comes as, '' where the browser doesn't tell
 */

/**
 * @typedef {object} Reading
 * @property {number} up bits a second, of sound and pictures
 * @property {number} down
 * @property {number | null} rttMs the last that was measured
 * @property {boolean} rttNew whether that was since the last reading
 * @property {number | null} lossUp of what we send, 0 to 1, as the other side says
 * @property {number | null} lossDown
 * @property {'direct' | 'relayed' | null} path
 * @property {Stream[]} sends
 * @property {Stream[]} receives
 */

/** @typedef {ReadonlyMap<string, Record<string, any>>} Report RTCStatsReport, whose fields browsers differ in */

/** Readings of one connection, each compared with the one before. */
export class Meter {
  /** @type {Report} */
  #before = new Map();
  /** @type {number | null} */
  #rttMs = null;

  /**
   * @param {Report} report
   * @returns {Reading}
   */
  read(report) {
    const before = this.#before;
    this.#before = report;
    const all = [...report.values()];
    const since = (/** @type {Record<string, any>} */ one, /** @type {string} */ field) => grown(one, before.get(one.id), field);
    const out = all.filter(({ type }) => type === 'outbound-rtp');
    const inn = all.filter(({ type }) => type === 'inbound-rtp');
    const remote = all.filter(({ type }) => type === 'remote-inbound-rtp');
    const sends = out.map((one) => sent(one, report, before.get(one.id)));
    const receives = inn.map((one) => received(one, report, before.get(one.id)));
    const sum = (/** @type {Record<string, any>[]} */ list, /** @type {string} */ field) => list
      .reduce((total, one) => total + (since(one, field) ?? 0), 0);
    const pair = pairOf(all, report);
    // All go the same way: the shortest is what the way takes, the rest is what waited for a processor.
    const trips = [
      ...remote.filter((one) => since(one, 'roundTripTimeMeasurements') !== 0).map(({ roundTripTime }) => roundTripTime),
      ...(pair && since(pair, 'responsesReceived') !== 0 ? [pair.currentRoundTripTime] : []),
    ].filter((trip) => typeof trip === 'number');
    if (trips.length > 0) this.#rttMs = Math.min(...trips) * 1000;
    const got = sum(inn, 'packetsReceived');
    return {
      up: bitsOf(sends),
      down: bitsOf(receives),
      rttMs: this.#rttMs,
      rttNew: trips.length > 0,
      lossUp: share(sum(remote, 'packetsLost'), sum(out, 'packetsSent')),
      lossDown: share(sum(inn, 'packetsLost'), got + sum(inn, 'packetsLost')),
      path: pathOf(pair, report),
      sends,
      receives,
    };
  }
}

/**
 * @param {Record<string, any>} one
 * @param {Record<string, any> | undefined} before
 * @param {string} field
 * @returns {number | null} null where one of them doesn't tell
 */
function grown(one, before, field) {
  const rise = one[field] - before?.[field];
  return Number.isFinite(rise) ? rise : null;
}

/**
 * @param {Record<string, any>} one
 * @param {Record<string, any> | undefined} before
 * @param {string} field
 * @returns {number} a second
 */
function rate(one, before, field) {
  const seconds = (one.timestamp - before?.timestamp) / 1000;
  return seconds > 0 ? Math.max(0, (grown(one, before, field) ?? 0) / seconds) : 0;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : null;
}

/** @param {Stream[]} streams */
function bitsOf(streams) {
  return streams.reduce((sum, { bits }) => sum + bits, 0);
}

/**
 * @param {Record<string, any>} one
 * @param {Report} report
 */
function common(one, report) {
  const { kind, mid = '', frameWidth = 0, frameHeight = 0 } = one;
  const codec = String(report.get(one.codecId)?.mimeType ?? '').replace(/^.*\//, '');
  return { kind, mid, codec, width: frameWidth, height: frameHeight };
}

/**
 * @param {Record<string, any>} one
 * @param {Report} report
 * @param {Record<string, any> | undefined} before
 * @returns {Stream}
 */
function sent(one, report, before) {
  return {
    ...common(one, report),
    bits: 8 * (rate(one, before, 'bytesSent') + rate(one, before, 'headerBytesSent')),
    fps: rate(one, before, 'framesEncoded'),
    busy: rate(one, before, 'totalEncodeTime'),
    source: report.get(one.mediaSourceId)?.framesPerSecond ?? null,
    limitedBy: one.qualityLimitationReason ?? 'none',
    target: one.targetBitrate ?? null,
  };
}

/**
 * @param {Record<string, any>} one
 * @param {Report} report
 * @param {Record<string, any> | undefined} before
 * @returns {Stream}
 */
function received(one, report, before) {
  return {
    ...common(one, report),
    bits: 8 * (rate(one, before, 'bytesReceived') + rate(one, before, 'headerBytesReceived')),
    fps: rate(one, before, 'framesDecoded'),
    concealed: share(grown(one, before, 'concealedSamples') ?? 0, grown(one, before, 'totalSamplesReceived') ?? 0) ?? 0,
    freezes: one.freezeCount ?? 0,
    frozenS: one.totalFreezesDuration ?? 0,
    track: one.trackIdentifier ?? '',
  };
}

/**
 * The path that is in use.
 * @param {Record<string, any>[]} all
 * @param {Report} report
 */
function pairOf(all, report) {
  const chosen = all.find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId);
  return report.get(chosen?.selectedCandidatePairId)
    // Firefox has no transport in its report.
    ?? all.find(({ type, selected, nominated, state }) => type === 'candidate-pair' && (selected || (nominated && state === 'succeeded')));
}

/**
 * @param {Record<string, any> | undefined} pair
 * @param {Report} report
 * @returns {Reading['path']}
 */
function pathOf(pair, report) {
  if (!pair) return null;
  const ends = [report.get(pair.localCandidateId), report.get(pair.remoteCandidateId)];
  return ends.some((end) => end?.candidateType === 'relay') ? 'relayed' : 'direct';
}
