/* no-picker: runs in a page before its own scripts. The browser asks in a window of its own where
 * a file is to go, which no test can answer; without it files go by the private file system. */

delete globalThis.showSaveFilePicker;
