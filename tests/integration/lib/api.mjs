// The room API as a test sees it, whatever carries it: HTTP through nginx, FastCGI records on the
// workers' socket, or a plain CGI process. Every call that passes here is held against openapi.yaml, so
// that no test has to.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { description } from './openapi.mjs';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Record<string, string>} headers names in lower case
 * @property {string} text
 * @property {Buffer} bytes
 * @property {any} json undefined when there is no body
 * @property {number} ms from the call to the end of the answer
 */

/** What holds for every answer of the API. Returns the answer. */
export function checkAnswer(answer, called) {
  const { status, headers, bytes } = answer;
  const told = `${called} -> ${status} ${answer.text.slice(0, 300)} ${JSON.stringify(headers)}`;
  assert.equal(headers['cache-control'], 'no-store', `Cache-Control: ${told}`);
  assert.equal(headers.etag, undefined, `no ETag: ${told}`);
  assert.match(headers.vary ?? '', /(^|,)\s*Origin\s*(,|$)/i, `Vary: ${told}`);
  assert.notEqual(headers['access-control-allow-origin'], '*', `exact origins: ${told}`);
  if (status === 204) {
    assert.equal(bytes.length, 0, `no body: ${told}`);
    return answer;
  }
  assert.equal(headers['content-length'], String(bytes.length), `Content-Length: ${told}`);
  assert.ok(bytes.length <= 128 * 1024, `answers stay under 128 kB: ${told}`);
  if (status < 400) {
    const type = called.includes('/v1/admin/metrics') ? /^text\/plain; version=0\.0\.4\b/ : /^application\/json\b/;
    assert.match(headers['content-type'] ?? '', type, `type: ${told}`);
    return answer;
  }
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json\b/, `type: ${told}`);
  const { json } = answer;
  assert.equal(json?.status, status, `the problem's status: ${told}`);
  assert.doesNotMatch(answer.text, /sqlite|SELECT |INSERT |[\s"(]\/\w+\//i,
    `neither SQL nor paths: ${told}`);
  if (status === 429 || status === 503) {
    assert.match(headers['retry-after'] ?? '', /^[1-9]\d*$/, `Retry-After: ${told}`);
  }
  if (status === 405) assert.match(headers.allow ?? '', /GET|POST/, `Allow: ${told}`);
  return answer;
}

/** Fill in `text` and `json` of a raw answer. */
export function answerOf(status, headers, bytes, ms) {
  const text = bytes.toString('utf8');
  let json;
  try {
    json = text === '' ? undefined : JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status, headers, bytes, text, json, ms };
}

export class Api {
  /** @param {(call: object) => Promise<Answer>} send carries one call */
  constructor(send) {
    this.send = send;
  }

  /**
   * @param {{headers?: object, body?: any, nonsense?: boolean}} [options] nonsense: what is sent isn't
   *   as openapi.yaml describes it
   * @returns {Promise<Answer>}
   */
  async call(method, path, { headers = {}, body, nonsense, ...more } = {}) {
    const raw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
    const payload = raw ? body : JSON.stringify(body);
    const typed = payload === undefined || Object.keys(headers).some((h) => /^content-type$/i.test(h));
    const sent = typed ? headers : { 'content-type': 'application/json', ...headers };
    const call = { method, path, headers: sent, body: payload === undefined ? undefined : Buffer.from(payload) };
    const answer = checkAnswer(await this.send({ ...call, ...more }), `${method} ${path}`);
    description().check(call, answer, { nonsense });
    return answer;
  }

  get(path, more) { return this.call('GET', path, more); }

  post(path, body, more) { return this.call('POST', path, { body, ...more }); }

  room(room, action, body, more) { return this.post(`/v1/rooms/${room}/${action}`, body, more); }
}

/** A status and a code, with the whole answer in the message when it is another. */
export function expectProblem(answer, status, code) {
  const codes = Array.isArray(code) ? code : [code];
  assert.ok(answer.status === status && codes.includes(answer.json?.code),
    `expected ${status} ${codes.join(' or ')}, got ${answer.status} ${answer.text.slice(0, 300)}`);
  return answer;
}

export function expectStatus(answer, status) {
  assert.equal(answer.status, status, answer.text.slice(0, 300));
  return answer;
}

/** A room name that no other test uses. */
export const newRoom = (word = 'room') => `${word}-${randomBytes(6).toString('hex')}`;
/** 128 random bits, as a client draws them for `id`. */
export const newId = () => randomBytes(16).toString('base64url');
