/* small-noise: runs in a page before noisy-media.js, for few pixels: many browsers on one
 * machine, and it isn't the processor that is to be short. */

globalThis.klatchNoise = { width: 320, height: 240, band: 30, fps: 15 };
