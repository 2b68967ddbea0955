/* efficient-h264: runs in a page before its own scripts; this browser says that it makes and
 * reads H.264 in hardware. (It does neither; software goes in its place.) */

(() => {
  const efficient = (question) => ({ supported: true, smooth: true, powerEfficient: /h264/i.test(question.video.contentType) });
  for (const ask of ['encodingInfo', 'decodingInfo']) MediaCapabilities.prototype[ask] = async (question) => efficient(question);
})();
