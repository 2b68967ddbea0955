// Each language there is, and how its table of texts is had: a JSON file beside this module. Bundles have a
// module of the same interface in its place, with the tables in it (deploy/dist/layout.sh).

/** @typedef {Record<string, unknown>} Table */

/** Fetched once, however many elements there are; again after a failure. @param {string} language */
function from(language) {
  /** @type {Promise<Table> | null} */
  let table = null;
  const get = async () => {
    const answer = await fetch(new URL(`./${language}.json`, import.meta.url));
    if (!answer.ok) throw new Error(`${language}.json: ${answer.status}`);
    return answer.json();
  };
  return () => {
    table ??= get().catch((error) => {
      table = null;
      throw error;
    });
    return table;
  };
}

/** By BCP 47 tag. @type {Readonly<Record<string, () => Promise<Table>>>} */
export const languages = Object.freeze({ en: from('en') });
