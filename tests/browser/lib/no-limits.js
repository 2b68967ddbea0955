/* no-limits: runs in a page before its own scripts; nothing that is sent is limited, as if there
 * were no budget. */

RTCRtpSender.prototype.setParameters = async () => {};
