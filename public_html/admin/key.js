// The admin key, for as long as this tab is open: it is in no cookie and in no address.
const NAME = 'klatch-admin-key';

/** @returns {string} empty: none */
export function keptKey() {
  try {
    return sessionStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} key empty: forget it */
export function keepKey(key) {
  try {
    if (key === '') sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {
    // Storage is refused: it is asked for again after a reload.
  }
}
