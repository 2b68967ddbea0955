// The description of the API (public_html/openapi.yaml) as a judge of calls: what was sent must be what
// it takes, what came back must be what it promises. For this judge every object is closed: a field
// that isn't described is a complaint on both sides.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import yaml from 'js-yaml';

const FILE = new URL('../../../public_html/openapi.yaml', import.meta.url);
/** What the web server adds, or the connection. */
const TRANSPORT = new Set(['content-type', 'content-length', 'date', 'server', 'connection', 'keep-alive',
  'transfer-encoding', 'upgrade', 'accept-ranges']);
/** A request that the server calls wrong may be so. */
const REFUSALS = new Set([400, 404, 405, 413, 415]);

const depth = (value) => (value === null || typeof value !== 'object' ? 0
  : 1 + Math.max(0, ...Object.values(value).map(depth)));

/** Every object that lists its properties has these and no others. */
function close(node) {
  if (node === null || typeof node !== 'object') return;
  if (node.type === 'object' && node.properties && !('additionalProperties' in node)) node.additionalProperties = false;
  Object.values(node).forEach(close);
}

/** With the description's own schemas under the name that the validator has for them. */
const named = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"parts#/$defs/'));

export const readDescription = () => yaml.load(fs.readFileSync(FILE, 'utf8'));

export class Description {
  #ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: false });
  #validators = new Map();

  constructor(document = readDescription()) {
    this.document = structuredClone(document);
    close(this.document);
    this.#ajv.addKeyword({
      keyword: 'x-max-bytes', type: 'string', schemaType: 'number',
      validate: (max, text) => Buffer.byteLength(text) <= max,
    });
    this.#ajv.addKeyword({ keyword: 'x-max-depth', schemaType: 'number', validate: (max, value) => depth(value) <= max });
    this.#ajv.addSchema({ $id: 'parts', $defs: named(this.document.components.schemas) });
    this.paths = Object.keys(this.document.paths).map((path) => ({
      path,
      pattern: new RegExp(`^/v1${path.replace(/\{\w+\}/g, '([^/]*)')}$`),
      names: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
    }));
  }

  /** Follow `$ref`, with what stands beside it. */
  resolve(node) {
    if (!node?.$ref) return node;
    const { $ref, ...beside } = node;
    const found = $ref.slice(2).split('/').reduce((at, name) => at?.[name], this.document);
    assert.ok(found, `${$ref} is in the description`);
    return { ...this.resolve(found), ...beside };
  }

  #complaint(what, schema, value) {
    let validate = this.#validators.get(schema);
    if (!validate) {
      validate = this.#ajv.compile(named(schema));
      this.#validators.set(schema, validate);
    }
    return validate(value) ? [] : [`${what}: ${this.#ajv.errorsText(validate.errors, { dataVar: '' })}`
      + `${validate.errors.map((error) => ` ${JSON.stringify(error.params)}`).join('')}`];
  }

  /** @returns {{path: string, item: any, values: string[], names: string[]}|undefined} */
  find(where) {
    let decoded = where;
    try {
      decoded = decodeURIComponent(where);
    } catch {
      // No text at all: the server says what it thinks of that.
    }
    for (const { path, pattern, names } of this.paths) {
      const match = pattern.exec(decoded);
      if (match) return { path, item: this.document.paths[path], values: match.slice(1), names };
    }
    return undefined;
  }

  #json(content, bytes) {
    let value;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch (error) {
      return [`body: ${error.message}`];
    }
    return this.#complaint('body', content['application/json'].schema, value);
  }

  #body(operation, type, body) {
    const content = this.resolve(operation.requestBody)?.content;
    const given = body ?? Buffer.alloc(0);
    if (!content) return given.length ? ['body: this call takes none'] : [];
    if (content['*/*']) return [];
    const media = type.split(';')[0].trim().toLowerCase();
    if (!content[media]) return [`body: the type ${media} is not described`];
    if (media === 'application/json') return this.#json(content, given);
    const form = Object.fromEntries(new URLSearchParams(given.toString('latin1')));
    const complaints = this.#complaint('form', content[media].schema, form);
    return complaints.length ? complaints : this.#json(content, Buffer.from(form.json));
  }

  #parameters(found, operation, query) {
    const parameters = [...found.item.parameters ?? [], ...operation.parameters ?? []].map((one) => this.resolve(one));
    const complaints = [];
    const known = new Set();
    for (const { name, in: place, schema, required } of parameters) {
      const text = place === 'path' ? found.values[found.names.indexOf(name)] : query.get(name);
      if (place === 'query') known.add(name);
      if (text === null || text === undefined) {
        if (required) complaints.push(`${name}: missing`);
        continue;
      }
      const number = this.resolve(schema).type === 'integer' && /^\d{1,16}$/.test(text);
      complaints.push(...this.#complaint(name, schema, number ? Number(text) : text));
    }
    for (const name of query.keys()) if (!known.has(name)) complaints.push(`query: ${name} is not described`);
    return complaints;
  }

  /** What of a request the description doesn't take. */
  request({ method, path: whole, headers = {}, body }) {
    const [path, query = ''] = whole.split('?');
    const found = this.find(path);
    const operation = found?.item[method.toLowerCase()];
    if (method === 'OPTIONS' || !operation) return [];
    const type = Object.entries(headers).find(([name]) => /^content-type$/i.test(name))?.[1] ?? '';
    return [...this.#parameters(found, operation, new URLSearchParams(query)),
      ...this.#body(operation, type, body)];
  }

  /** What the description says of the answer with this status. */
  response({ method, path: whole }, status) {
    const found = this.find(whole.split('?')[0]);
    const other = this.document['x-otherwise'];
    const operation = found?.item[method.toLowerCase()];
    if (!found) return status === 404 ? this.resolve(other['no-such-path']) : undefined;
    if (method === 'OPTIONS') return status === 204 ? this.resolve(other.OPTIONS) : undefined;
    if (!operation) return status === 405 ? this.resolve(other['another-method']) : undefined;
    return this.resolve(operation.responses[status]);
  }

  #headers(described, headers) {
    const complaints = [];
    const names = new Set();
    for (const [name, ref] of Object.entries(described)) {
      const { required, schema } = this.resolve(ref);
      const value = headers[name.toLowerCase()];
      names.add(name.toLowerCase());
      if (value !== undefined) complaints.push(...this.#complaint(name, schema, value));
      else if (required) complaints.push(`${name}: missing`);
    }
    for (const name of Object.keys(headers)) {
      if (!names.has(name) && !TRANSPORT.has(name)) complaints.push(`${name}: this header is not described`);
    }
    return complaints;
  }

  /** What of an answer the description doesn't promise. */
  answer(call, { status, headers, json, text, bytes }) {
    const response = this.response(call, status);
    if (!response) return [`the status ${status} is not described`];
    const complaints = this.#headers(response.headers ?? {}, headers);
    if (!response.content) return bytes.length ? [...complaints, 'no body is described'] : complaints;
    const media = (headers['content-type'] ?? '').split(';')[0];
    const content = response.content[media];
    if (!content) return [...complaints, `the type ${media} is not described`];
    return [...complaints, ...this.#complaint('answer', content.schema, media === 'text/plain' ? text : json)];
  }

  /**
   * @param {{method: string, path: string, headers?: object, body?: Buffer}} call
   * @param {{nonsense?: boolean}} [more] what the test sends is wrong beyond the description's means, or is
   *   taken though it isn't described
   */
  check(call, answer, { nonsense = false } = {}) {
    const told = `${call.method} ${call.path.slice(0, 200)} ${call.body?.toString().slice(0, 300) ?? ''}\n-> ${answer.status} `
      + answer.text.slice(0, 500);
    assert.deepEqual(this.answer(call, answer), [], `the answer is as openapi.yaml says: ${told}`);
    const wrong = this.request(call);
    if (nonsense) {
      assert.ok(wrong.length || REFUSALS.has(answer.status), `this is no nonsense: ${told}`);
    } else if (!REFUSALS.has(answer.status)) {
      assert.deepEqual(wrong, [], `the request is as openapi.yaml says: ${told}`);
    } else if (answer.status === 400) {
      assert.notDeepEqual(wrong, [], `openapi.yaml knows why this is refused: ${told}`);
    }
  }
}

let shared;
/** The one of this process, made at its first call. */
export const description = () => { shared ??= new Description(); return shared; };
