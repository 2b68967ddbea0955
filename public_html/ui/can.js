// What this browser can do beyond calls: one table, so that the page asks in one place and a
// test can make it act as another browser.

const table = {
  /** Share a screen; no browser on a phone can. */
  screen: () => typeof navigator.mediaDevices?.getDisplayMedia === 'function',
  fullScreen: () => document.fullscreenEnabled === true,
  pictureInPicture: () => document.pictureInPictureEnabled === true,
  /** Set how loud a video plays. On iOS that is the device's own button alone: writing changes nothing. */
  volume: () => {
    const video = document.createElement('video');
    video.volume = 0.5;
    return video.volume === 0.5;
  },
  /** Choose the loudspeaker. */
  speaker: () => 'setSinkId' in HTMLMediaElement.prototype,
  /** Keep the screen on. */
  wakeLock: () => 'wakeLock' in navigator,
};

/** @typedef {keyof typeof table} Ability */

/** @type {Partial<Record<Ability, boolean>>} */
let pretended = {};

/** @param {Ability} ability @returns {boolean} */
export function can(ability) {
  return pretended[ability] ?? table[ability]();
}

/** What Safari on a phone can't, for tests. @type {Readonly<Partial<Record<Ability, boolean>>>} */
export const IOS = Object.freeze({ screen: false, fullScreen: false, volume: false, speaker: false });

/** Act as a browser with other abilities. @param {Partial<Record<Ability, boolean>>} abilities */
export function pretend(abilities) {
  pretended = abilities;
}
