/* noisy-media: runs in a page before its own scripts, after painted-media.js. The camera
 * gives 640x480 at 20 with a band of noise in it: a flat picture takes so few bits that it
 * would pass through anything. */

(() => {
  const WIDTH = 640;
  const HEIGHT = 480;
  const BAND = 60;
  const FRAMES = 8;
  const PAINT_MS = 50;

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
    const [track] = canvas.captureStream(20).getVideoTracks();
    const timer = setInterval(() => (track.readyState === 'live' ? draw() : clearInterval(timer)), PAINT_MS);
    return track;
  }

  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getUserMedia = async (kinds) => {
    const stream = globalThis.klatchTest.painted(0, globalThis.klatchIdentity.toneHz, { audio: kinds.audio });
    if (kinds.video) stream.addTrack(camera());
    return stream;
  };
})();
