/* described: what a page asks the API for and what it gets, held against openapi.yaml. */

import { answerOf } from '../../integration/lib/api.mjs';
import { description } from '../../integration/lib/openapi.mjs';

const CALL = /^\/(?:api|cgi-bin\/klatch(?:-poll)?\.f?cgi)(\/v1\/.*)$/;

/** @param {import('playwright-core').Request} request */
function callOf(request) {
  const { pathname, search } = new URL(request.url());
  const path = CALL.exec(pathname)?.[1];
  return path && { method: request.method(), path: path + search, headers: request.headers(), body: request.postDataBuffer() ?? undefined };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string[]} complaints where they go
 */
export function judge(page, complaints) {
  page.on('requestfinished', async (request) => {
    const call = callOf(request);
    if (!call) return;
    try {
      const response = await request.response();
      const headers = await response.allHeaders();
      // The web server's own words, while the program is away.
      if (headers['content-type']?.startsWith('text/html')) return;
      const bytes = response.status() === 204 ? Buffer.alloc(0) : await response.body();
      const { 'content-encoding': _packed, ...plain } = headers;
      description().check(call, answerOf(response.status(), plain, bytes, 0));
    } catch (error) {
      // Of a page that has gone the browser keeps no answers.
      if (error.code === 'ERR_ASSERTION') complaints.push(error.message);
    }
  });
}
