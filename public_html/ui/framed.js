/**
 * Whether another site shows this page within its own, where people may be led to press what they don't see.
 * @returns {boolean}
 */
export function isFramedByAnother() {
  try {
    for (let at = /** @type {Window} */ (window); at !== at.parent; at = at.parent) {
      if (at.parent.location.origin !== location.origin) return true;
    }
    return false;
  } catch {
    // A page of another origin doesn't tell.
    return true;
  }
}
