// Files that are dropped on the call, or pasted into it.
import { isFor } from './keys.js';

/**
 * @typedef {object} DropHooks
 * @property {(over: boolean) => void} over whether files are being held over the call
 * @property {(files: File[], folders: number) => void} files what was let go of or pasted
 */

/**
 * @param {HTMLElement} call @param {HTMLElement} owner whose keyboard the page's is @param {AbortSignal} signal
 * @param {DropHooks} hooks
 */
export function takeDrops(call, owner, signal, hooks) {
  // Leaving a part comes after entering the next, so that they are to be counted.
  let inside = 0;
  const life = { signal };
  const count = (/** @type {number} */ now) => {
    inside = now;
    hooks.over(inside > 0);
  };
  call.addEventListener('dragenter', (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    count(inside + 1);
  }, life);
  call.addEventListener('dragover', (event) => {
    if (!event.dataTransfer || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  }, life);
  call.addEventListener('dragleave', (event) => {
    if (hasFiles(event.dataTransfer)) count(Math.max(0, inside - 1));
  }, life);
  call.addEventListener('drop', (event) => {
    if (!event.dataTransfer || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    count(0);
    const { files, folders } = filesOf(event.dataTransfer);
    hooks.files(files, folders);
  }, life);
  document.addEventListener('paste', (event) => {
    const { clipboardData } = event;
    if (!clipboardData || clipboardData.files.length === 0) return;
    const within = event.composedPath().includes(call);
    if (!within && !(event.target === document.body && isFor(/** @type {any} */ (event), owner))) return;
    // A table or a picture from a document comes as text too, and text is what a field is for.
    if (isField(event.composedPath()[0]) && clipboardData.types.includes('text/plain')) return;
    event.preventDefault();
    hooks.files([...clipboardData.files], 0);
  }, life);
}

/** @param {DataTransfer | null} data */
function hasFiles(data) {
  return data?.types.includes('Files') ?? false;
}

/** @param {EventTarget | undefined} target */
function isField(target) {
  return target instanceof HTMLElement && target.matches('input, textarea');
}

/** Folders come among the files and can't be read as such. @param {DataTransfer} data */
function filesOf(data) {
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory).length;
  if (folders === 0) return { files: [...data.files], folders };
  const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).flatMap((item) => item.getAsFile() ?? []);
  return { files, folders };
}
