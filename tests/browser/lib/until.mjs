/** Wait until something holds; its value comes back. Errors in it are told at the deadline. */
export async function until(what, condition, limitMs = 15_000, everyMs = 50) {
  const end = Date.now() + limitMs;
  let last = '';
  for (;;) {
    let value = null;
    try {
      value = await condition();
    } catch (error) {
      last = `: ${error.message}`;
      if (/has been closed|the server ended/.test(error.message)) throw error;
    }
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}${last}`);
    await new Promise((resolve) => {
      setTimeout(resolve, everyMs);
    });
  }
}
