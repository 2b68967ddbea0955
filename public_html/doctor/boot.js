// Starts the doctor, or says which of its files are missing or torn. No module, so that it also runs
// where modules fail; it needs no other file.
(function boot() {
  'use strict';

  const OWN = ['doctor/main.js', 'doctor/ask.js', 'doctor/report.js', 'doctor/run.js', 'doctor/texts.js', 'doctor/view.js',
    'doctor/strings.en.js', 'doctor/findings.js', 'doctor/findings/program.js', 'doctor/findings/page.js',
    'doctor/findings/waiting.js', 'doctor/findings/server.js'];
  const note = document.getElementById('note');

  /** @param {string} text */
  function say(text) {
    if (note) note.textContent = text;
  }

  /** What is wrong with a file of the doctor; null: nothing that can be seen. @param {string} name @returns {Promise<string | null>} */
  async function faultOf(name) {
    const answer = await fetch(name, { cache: 'no-store' });
    if (!answer.ok) return `${name} (missing, ${answer.status})`;
    const text = await answer.text();
    const type = answer.headers.get('Content-Type') || '';
    if (!/javascript/.test(type)) return `${name} (sent as ${type || 'nothing'}, not as a script)`;
    return /\n$/.test(text) && /\}|;/.test(text.slice(-8)) ? null : `${name} (cut off)`;
  }

  /** @param {unknown} error */
  async function explain(error) {
    const faults = await Promise.all(OWN.map((name) => faultOf(name).catch(() => `${name} (no answer)`)));
    const named = faults.filter((fault) => fault !== null);
    say(named.length > 0
      ? `K-SELF: This page was uploaded by half. Upload the folders doctor and ui again, in binary mode, and reload. To mend: ${named.join(', ')}.`
      : `K-SELF: This page can’t start (${error}). Upload the folders doctor and ui again, in binary mode, and reload. If it stays, the browser is too old.`);
  }

  /** As ui/framed.js, which this file can't count on. Who is framed would have visitors of others run the checks. */
  function framed() {
    try {
      for (let at = /** @type {Window} */ (window); at !== at.parent; at = at.parent) {
        if (at.parent.location.origin !== location.origin) return true;
      }
      return false;
    } catch {
      return true;
    }
  }

  async function start() {
    if (framed()) {
      say('This page can’t be shown inside another site. Open it in a window of its own.');
      return;
    }
    if (location.protocol === 'file:') {
      say('K-FILE: This page was opened from a disk. Upload it to your web space and open it with https:// there.');
      return;
    }
    const place = document.getElementById('doctor');
    try {
      const { start: begin } = await import(new URL('doctor/main.js', document.baseURI).href);
      if (place) await begin(place);
    } catch (error) {
      await explain(error);
    }
  }

  start();
}());
