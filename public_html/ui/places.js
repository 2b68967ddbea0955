// Where hosts put the room API, seen from the page. For the page and for the doctor, which also
// works when most other files are missing.

/**
 * Best first: FastCGI keeps its processes, plain CGI starts one for each request. All are
 * relative to the page, so that they hold in a sub-folder, on a sub-domain, and behind a proxy
 * that ends TLS.
 */
export const PLACES = Object.freeze([
  'api/v1',
  'cgi-bin/klatch.fcgi/v1',
  '/cgi-bin/klatch.fcgi/v1',
  '/cgi-bin/klatch/klatch.fcgi/v1',
  '/fcgi-bin/klatch.fcgi/v1',
  '/fcgi-bin/klatch/klatch.fcgi/v1',
  'cgi-bin/klatch.cgi/v1',
  'cgi/klatch.cgi/v1',
  '/cgi-bin/klatch.cgi/v1',
  '/cgi-bin/klatch/klatch.cgi/v1',
]);
