/* sealing-by-hand: a second implementation of what sealed.js says at its top, on Node's own
 * functions, so that the format is fixed by its words and not by one program. */

import { createCipheriv, createDecipheriv, createECDH, createHash, hkdfSync } from 'node:crypto';

const bytes = (text) => Buffer.from(text, 'base64url');

function seal(key, nonce, data, value, head) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(data));
  const sealed = [cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()];
  return { s: Buffer.concat([Buffer.of(1), head, ...sealed]).toString('base64url') };
}

function open(key, nonce, data, sealed) {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAAD(Buffer.from(data));
  decipher.setAuthTag(sealed.subarray(-16));
  return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString());
}

const hkdf = (material, salt, info) => Buffer.from(hkdfSync('sha256', material, salt, info, 32));
const base = (room, secret) => hkdf(bytes(secret), createHash('sha256').update(`klatch/1 ${room}`).digest(), 'meta');

export function card(room, secret, nonce, value) {
  return seal(base(room, secret), nonce, `klatch/1 meta\n${room}`, value, nonce);
}

export function openCard(room, secret, { s }) {
  const whole = bytes(s);
  return open(base(room, secret), whole.subarray(1, 13), `klatch/1 meta\n${room}`, whole.subarray(13));
}

/** @param {{d: string}} own the sender's private key, as JWK */
export function letter({ room, secret, own, from, to, counter, value }) {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(bytes(own.d));
  const key = hkdf(ecdh.computeSecret(bytes(to.pub)), bytes(secret), `klatch/1 pair ${room} ${from.pub} ${to.pub}`);
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt(counter));
  const data = `klatch/1 mail\n${room}\n${from.id}\n${to.id}\n${counter}`;
  return seal(key, Buffer.concat([Buffer.alloc(4), head]), data, value, head);
}
