// How loud a microphone is, for a hint in the lobby that it works.

const LOOK_MS = 80;
/** Root mean square of speech near the microphone; fills the hint. */
const LOUD = 0.15;

export class Level {
  #stream;
  #show;
  #samples = new Float32Array(512);
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AnalyserNode | null} */
  #look = null;
  #timer = setInterval(() => this.#tick(), LOOK_MS);

  /**
   * @param {MediaStream} stream has an audio track
   * @param {(level: number) => void} show gets 0 to 1 about twelve times a second
   */
  constructor(stream, show) {
    this.#stream = stream;
    this.#show = show;
  }

  stop() {
    clearInterval(this.#timer);
    this.#context?.close().catch(() => {});
  }

  #tick() {
    // Browsers complain of a context that is made before the person has touched the page.
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
    this.#look ??= this.#start();
    this.#look.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    this.#show(Math.min(1, Math.sqrt(power) / LOUD));
  }

  #start() {
    this.#context = new AudioContext();
    const look = this.#context.createAnalyser();
    look.fftSize = this.#samples.length;
    this.#context.createMediaStreamSource(this.#stream).connect(look);
    return look;
  }
}
