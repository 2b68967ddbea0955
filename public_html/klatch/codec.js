/* codec: in which codec the pictures of a pair go. H.264 where both browsers make and read
 * it power-efficiently, which is to say in hardware; else VP8, which every browser has and
 * software makes cheapest. It is told to the others at joining and stands before the first
 * offer (codec-order.js), so that nothing is negotiated for it. */

/** A camera's picture in a call of two. */
const PICTURE = { contentType: 'video/H264', width: 640, height: 480, bitrate: 800_000, framerate: 20 };
/** A mesh encodes once for each connection, and some hardware only three pictures at once. */
export const H264_MOST = 3;
/** Joining doesn't wait longer for a browser to tell. */
const ASK_MS = 300;

/**
 * @param {MediaCapabilities | null} capabilities
 * @returns {Promise<boolean>} whether this browser says that H.264 is power-efficient both ways
 */
export async function isH264Efficient(capabilities) {
  const asked = /** @type {any} */ ({ type: 'webrtc', video: PICTURE });
  const ask = async () => {
    const told = await Promise.all([capabilities?.encodingInfo(asked), capabilities?.decodingInfo(asked)]);
    return told.every((one) => one?.supported === true && one.powerEfficient);
  };
  const late = new Promise((resolve) => {
    setTimeout(resolve, ASK_MS, false);
  });
  // A browser that doesn't know the question throws.
  return Promise.race([ask().catch(() => false), late]);
}
