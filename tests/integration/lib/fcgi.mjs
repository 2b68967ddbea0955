// FastCGI 1.0 as a web server speaks it, and as a broken or hostile one does: whole requests, and
// any bytes at any time. (Specification: fastcgi.com/devkit/doc/fcgi-spec.html, section 3.3 on.)
import { once } from 'node:events';
import net from 'node:net';
import { answerOf } from './api.mjs';
import { now } from './until.mjs';

export const TYPE = {
  BEGIN: 1, ABORT: 2, END: 3, PARAMS: 4, STDIN: 5, STDOUT: 6, STDERR: 7, DATA: 8, GET_VALUES: 9,
};
const RESPONDER = 1;
const KEEP_CONN = 1;
const RECORD_BYTES_MAX = 65535;

/** One record: an 8-byte header, the content, padding. */
export function record(type, content = Buffer.alloc(0), { id = 1, padding = 0, version = 1 } = {}) {
  const head = Buffer.from([version, type, id >> 8, id & 255,
    content.length >> 8, content.length & 255, padding, 0]);
  return Buffer.concat([head, content, Buffer.alloc(padding)]);
}

/** A stream of records ended by an empty one. */
export function stream(type, content, more) {
  const parts = [];
  for (let at = 0; at < content.length; at += RECORD_BYTES_MAX) {
    parts.push(record(type, content.subarray(at, at + RECORD_BYTES_MAX), more));
  }
  parts.push(record(type, undefined, more));
  return Buffer.concat(parts);
}

export function begin({ keep = true, role = RESPONDER, id = 1 } = {}) {
  return record(TYPE.BEGIN, Buffer.from([role >> 8, role & 255, keep ? KEEP_CONN : 0, 0, 0, 0, 0, 0]),
    { id });
}

function length(n) {
  if (n < 128) return Buffer.from([n]);
  const four = Buffer.alloc(4);
  four.writeUInt32BE((n | 0x80000000) >>> 0);
  return four;
}

export function pairs(env) {
  const parts = [];
  for (const [name, value] of Object.entries(env)) {
    const n = Buffer.from(name);
    const v = Buffer.from(String(value));
    parts.push(length(n.length), length(v.length), n, v);
  }
  return Buffer.concat(parts);
}

/** CGI's variables (RFC 3875) for a call, as nginx passes them. */
export function environment({
  method, path, headers = {}, body, script = '/cgi-bin/klatch.fcgi', software = 'nginx/1.22.1',
}) {
  const [info, query = ''] = path.split('?');
  const env = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: software,
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REMOTE_ADDR: '127.0.0.1',
    REQUEST_METHOD: method,
    SCRIPT_NAME: script,
    PATH_INFO: info,
    QUERY_STRING: query,
    REQUEST_URI: `${script}${path}`,
    CONTENT_LENGTH: body === undefined ? '' : String(body.length),
  };
  for (const [name, value] of Object.entries(headers)) {
    const upper = name.toUpperCase().replaceAll('-', '_');
    env[upper === 'CONTENT_TYPE' ? upper : `HTTP_${upper}`] = value;
  }
  return env;
}

/** What a CGI program printed, as an answer. */
export function parseCgi(out, ms) {
  const split = /\r?\n\r?\n/.exec(out.toString('latin1'));
  if (!split) throw new Error(`no header in ${JSON.stringify(out.toString().slice(0, 300))}`);
  const headers = {};
  for (const line of out.subarray(0, split.index).toString('latin1').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (name in headers) throw new Error(`header ${name} stands twice`);
    headers[name] = line.slice(colon + 1).trim();
  }
  const status = Number.parseInt(headers.status ?? '200', 10);
  delete headers.status;
  return answerOf(status, headers, out.subarray(split.index + split[0].length), ms);
}

export class FcgiConnection {
  #tail = Buffer.alloc(0);
  #out = [];
  #waiting = null;
  #last = Promise.resolve();

  /** @param {string} path the workers' socket */
  static async open(path) {
    const socket = net.connect({ path, allowHalfOpen: true });
    await once(socket, 'connect'); // or its error
    return new FcgiConnection(socket);
  }

  constructor(socket) {
    this.socket = socket;
    this.ended = 0;
    this.closed = new Promise((resolve) => { socket.once('close', resolve); });
    socket.on('data', (part) => this.#take(part));
    socket.on('end', () => { socket.destroy(); });
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#waiting?.reject(new Error('the connection was closed without an answer'));
    });
  }

  #take(part) {
    this.#tail = Buffer.concat([this.#tail, part]);
    while (this.#tail.length >= 8) {
      const bytes = this.#tail.readUInt16BE(4);
      const total = 8 + bytes + this.#tail[6];
      if (this.#tail.length < total) return;
      const content = this.#tail.subarray(8, 8 + bytes);
      const type = this.#tail[1];
      this.#tail = this.#tail.subarray(total);
      if (type === TYPE.STDOUT) this.#out.push(Buffer.from(content));
      if (type === TYPE.END) this.#end(content);
    }
  }

  #end(content) {
    this.ended += 1;
    const waiting = this.#waiting;
    const out = Buffer.concat(this.#out);
    this.#out = [];
    this.#waiting = null;
    if (!waiting) return;
    try {
      if (content[4] !== 0) throw new Error(`protocol status ${content[4]}`);
      waiting.resolve(parseCgi(out, now() - waiting.since));
    } catch (error) {
      waiting.reject(error);
    }
  }

  write(bytes) { this.socket.write(bytes); }

  /** The next answer on this connection. */
  answer() {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) reject(new Error('the connection is closed already'));
      this.#waiting = { resolve, reject, since: now() };
    });
  }

  /** The records of a whole request. */
  static request(call, { keep = true, id = 1, env = environment(call) } = {}) {
    return Buffer.concat([begin({ keep, id }), stream(TYPE.PARAMS, pairs(env), { id }),
      stream(TYPE.STDIN, call.body ?? Buffer.alloc(0), { id })]);
  }

  /** One call, behind those that are under way; the connection is kept. */
  send(call, options) {
    const answer = this.#last.then(() => {
      const next = this.answer();
      this.write(FcgiConnection.request(call, options));
      return next;
    });
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** As a browser and its web server go away: at once and without a word. */
  close() { this.socket.destroy(); }
}
