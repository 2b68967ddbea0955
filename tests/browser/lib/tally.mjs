/* tally: stands before the web server and counts what browsers ask of the room API: which polls
 * are held at a moment, and when each request came. */

import http from 'node:http';

export class Tally {
  #agent = new http.Agent({ keepAlive: true });
  #http;
  /** Polls that are held now. */
  #held = new Set();
  /** @type {{room: string, what: string, key: string, waitMs: number, ms: number}[]} in the order of coming */
  requests = [];
  /** The most polls that were held at one time. */
  heldMost = 0;

  /** @param {() => string} target the web server's origin */
  constructor(target) {
    this.target = target;
    this.#http = http.createServer((request, response) => this.#pass(request, response));
    // A held poll is no idle connection.
    this.#http.requestTimeout = 0;
  }

  async start() {
    await new Promise((resolve) => {
      this.#http.listen(0, '127.0.0.1', resolve);
    });
    this.origin = `http://localhost:${this.#http.address().port}`;
    return this;
  }

  async stop() {
    this.#http.closeAllConnections();
    this.#agent.destroy();
    await new Promise((resolve) => {
      this.#http.close(resolve);
    });
  }

  /** @param {string} room @returns {number} polls that are held there now */
  held(room) {
    return [...this.#held].filter((one) => one.room === room).length;
  }

  /**
   * @param {string} room
   * @param {number} [ms]
   * @returns {string[]} the keys of polls that have been held there for longer
   */
  holders(room, ms = 0) {
    return [...this.#held].filter((one) => one.room === room && Date.now() - one.ms >= ms).map(({ key }) => key);
  }

  async #pass(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const entry = this.#enter(request.url, body);
    response.on('close', () => this.#held.delete(entry));
    const { hostname, port } = new URL(this.target());
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers, agent: this.#agent }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  }

  /** Whatever asks something of a room. */
  #enter(path, body) {
    const [, room, what] = /\/v1\/rooms\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    if (!room) return null;
    const text = body.toString();
    const json = text.startsWith('{') ? text : new URLSearchParams(text).get('json');
    const { key = '', wait_ms: waitMs = 0, after } = JSON.parse(json ?? '{}');
    const entry = { room, what, key, waitMs, reads: after !== undefined, ms: Date.now() };
    this.requests.push(entry);
    if (waitMs > 1) this.#held.add(entry);
    this.heldMost = Math.max(this.heldMost, this.#held.size);
    return entry;
  }
}
