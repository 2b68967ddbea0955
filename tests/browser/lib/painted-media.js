/* painted-media: runs in a page before its own scripts. getUserMedia gives a picture
 * that tells whose it is and a tone of its own, and `klatchTest` reads them.
 *
 * The picture is 160x120: 8 by 6 blocks of 20 pixels, black or white, row by row:
 *   4 bits 1010, 8 bits id, 16 bits counter, 12 bits check, 8 bits the id inverted.
 * A block is read from its middle and must be clearly dark or clearly bright, and the
 * check must be right; so a blurred, mixed, empty or foreign picture reads as nothing. */

(() => {
  const WIDTH = 160;
  const HEIGHT = 120;
  const BLOCK = 20;
  const COLUMNS = WIDTH / BLOCK;
  const PAINT_MS = 66;
  const DARK_MAX = 90;
  const BRIGHT_MIN = 165;
  const FFT_SIZE = 8192;

  const number = (bits) => bits.reduce((sum, bit) => sum * 2 + bit, 0);
  const bitsOf = (value, count) => Array.from({ length: count }, (_, at) => (value >> (count - 1 - at)) & 1);
  const checkOf = (id, counter) => (id * 769 + counter * 31 + 1234) & 0xfff;

  function bitsFor(id, counter) {
    const check = checkOf(id, counter);
    return [1, 0, 1, 0, ...bitsOf(id, 8), ...bitsOf(counter, 16), ...bitsOf(check, 12), ...bitsOf(~id & 0xff, 8)];
  }

  function paint(canvas, id, counter) {
    const context = canvas.getContext('2d');
    bitsFor(id, counter).forEach((bit, at) => {
      context.fillStyle = bit ? '#fff' : '#000';
      context.fillRect((at % COLUMNS) * BLOCK, Math.floor(at / COLUMNS) * BLOCK, BLOCK, BLOCK);
    });
  }

  /** @returns {{id: number, counter: number} | null} what is painted in `source`, a canvas or video */
  function read(source) {
    const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(source, 0, 0, WIDTH, HEIGHT);
    const bits = [];
    for (let at = 0; at < COLUMNS * (HEIGHT / BLOCK); at += 1) {
      const left = (at % COLUMNS) * BLOCK + 6;
      const top = Math.floor(at / COLUMNS) * BLOCK + 6;
      const { data } = context.getImageData(left, top, 8, 8);
      const green = data.filter((_, byte) => byte % 4 === 1);
      const mean = green.reduce((sum, value) => sum + value, 0) / green.length;
      if (mean > DARK_MAX && mean < BRIGHT_MIN) return null;
      bits.push(mean >= BRIGHT_MIN ? 1 : 0);
    }
    const id = number(bits.slice(4, 12));
    const counter = number(bits.slice(12, 28));
    return String(bits) === String(bitsFor(id, counter)) ? { id, counter } : null;
  }

  /** Every element below a root, through open shadow roots. */
  function* elements(root) {
    for (const element of root.querySelectorAll('*')) {
      yield element;
      if (element.shadowRoot) yield* elements(element.shadowRoot);
    }
  }

  /** What the page shows of a call, null where it has no element for one. */
  const call = () => {
    const element = document.querySelector('klatch-room');
    return element && { room: element.call, media: element.media, shadowRoot: element.shadowRoot };
  };
  const person = (name) => call()?.room?.people.find((one) => one.name === name) ?? null;

  /** The video that shows a person in the grid; not just any that plays their stream. */
  function videoOf(name) {
    const stream = person(name)?.stream;
    const all = [...elements(document)].filter((element) => element instanceof HTMLVideoElement);
    return all.find((video) => stream && video.srcObject === stream) ?? null;
  }

  /** What the picture of a person says over a time: each reading once. */
  async function watch(name, ms) {
    const seen = new Map();
    const end = performance.now() + ms;
    while (performance.now() < end) {
      const video = videoOf(name);
      const reading = video && video.videoWidth > 0 ? read(video) : null;
      if (reading) seen.set(`${reading.id} ${reading.counter}`, reading);
      await new Promise((resolve) => {
        setTimeout(resolve, 30);
      });
    }
    return [...seen.values()];
  }

  let context = null;
  const ears = new WeakMap();

  function sound() {
    context ??= new AudioContext({ sampleRate: 48_000 });
    return context;
  }
  // A page may make sound once somebody has touched it.
  for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => sound().resume(), true);

  /** How loud each frequency is in a stream, in decibels; silence is -100 and less. */
  async function levels(stream, frequencies) {
    if (!ears.has(stream)) {
      const analyser = new AnalyserNode(sound(), { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
      const source = sound().createMediaStreamSource(new MediaStream(stream.getAudioTracks()));
      source.connect(analyser);
      ears.set(stream, { analyser, source });
    }
    const { analyser } = ears.get(stream);
    // One whole window of what is sounding now.
    await new Promise((resolve) => {
      setTimeout(resolve, (FFT_SIZE / sound().sampleRate) * 1000 + 50);
    });
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    return frequencies.map((frequency) => {
      const bin = Math.round((frequency * FFT_SIZE) / sound().sampleRate);
      return Math.max(-200, ...bins.slice(bin - 2, bin + 3));
    });
  }

  /** The sound that is received from a person. A reconnection's new track is listened to anew. */
  async function levelsOf(name, frequencies) {
    const stream = person(name)?.stream;
    const [track] = stream?.getAudioTracks() ?? [];
    if (!track) return null;
    track.klatchEar ??= new MediaStream([track]);
    return levels(track.klatchEar, frequencies);
  }

  /** A picture and a tone, as a camera and a microphone would give them. */
  function painted(id, toneHz, kinds) {
    const stream = new MediaStream();
    if (kinds.video) {
      const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
      let counter = Math.floor(Math.random() * 30_000);
      const draw = () => paint(canvas, id, (counter += 1) & 0xffff);
      draw();
      const [track] = canvas.captureStream(15).getVideoTracks();
      const timer = setInterval(() => (track.readyState === 'live' ? draw() : clearInterval(timer)), PAINT_MS);
      stream.addTrack(track);
    }
    if (kinds.audio) {
      const end = new MediaStreamAudioDestinationNode(sound(), { channelCount: 1 });
      const gain = new GainNode(sound(), { gain: 0.3 });
      const tone = new OscillatorNode(sound(), { frequency: toneHz });
      tone.connect(gain).connect(end);
      tone.start();
      stream.addTrack(end.stream.getAudioTracks()[0]);
    }
    return stream;
  }

  globalThis.klatchTest = { paint, read, watch, levels, levelsOf, painted, videoOf, call, person };

  const { klatchIdentity } = globalThis;
  if (klatchIdentity && navigator.mediaDevices) {
    const { id, toneHz, ownSound = false } = klatchIdentity;
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (kinds) => {
      const stream = painted(id, toneHz, { video: kinds.video, audio: kinds.audio && !ownSound });
      // Without a sound card Firefox runs no AudioContext; its own false microphone beeps.
      if (kinds.audio && ownSound) stream.addTrack((await real({ audio: true })).getAudioTracks()[0]);
      return stream;
    };
  }
})();
