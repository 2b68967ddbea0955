/* noisy-media: runs in a page before its own scripts, after painted-media.js. The camera
 * gives 640x480 at 20, unless `klatchNoise` tells otherwise, with a band of noise in it: a
 * flat picture takes so few bits that it would pass through anything. */

(() => {
  const { width: WIDTH, height: HEIGHT, band: BAND, fps: FPS } = globalThis.klatchNoise
    ?? { width: 640, height: 480, band: 60, fps: 20 };
  const FRAMES = 8;

  function noise() {
    const image = new ImageData(WIDTH, BAND);
    for (let at = 0; at < image.data.length; at += 65_536) crypto.getRandomValues(image.data.subarray(at, at + 65_536));
    for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
    return image;
  }

  function camera() {
    const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
    const pen = canvas.getContext('2d');
    const frames = Array.from({ length: FRAMES }, noise);
    let count = 0;
    const draw = () => {
      count += 1;
      pen.fillStyle = `hsl(${count % 360} 40% 50%)`;
      pen.fillRect(0, 0, WIDTH, HEIGHT);
      pen.putImageData(frames[count % FRAMES], 0, HEIGHT - BAND);
    };
    draw();
    const [track] = canvas.captureStream(FPS).getVideoTracks();
    const timer = setInterval(() => (track.readyState === 'live' ? draw() : clearInterval(timer)), 1000 / FPS);
    return track;
  }

  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getUserMedia = async (kinds) => {
    const stream = globalThis.klatchTest.painted(0, globalThis.klatchIdentity.toneHz, { audio: kinds.audio });
    if (kinds.video) stream.addTrack(camera());
    return stream;
  };
})();
