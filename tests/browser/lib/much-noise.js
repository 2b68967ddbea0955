/* much-noise: runs in a page before noisy-media.js, for a picture that takes more than 1.5 Mbit/s
 * where nothing holds it back. */

globalThis.klatchNoise = { width: 640, height: 480, band: 120, fps: 15 };
