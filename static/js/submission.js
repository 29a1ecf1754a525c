/**
 * One enquiry, one id: 128 random bits made at the first focus. The id stays while the words stay, so that a double
 * click, a reload or Back sends the same enquiry; after it arrived, changed words get a new one.
 */

import { randomId } from "./favourite-list.js";

const LAST = "xinheng.submission";
const DONE = "xinheng.submitted";

function read(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // without storage a changed enquiry with an old id is still told apart by its words
  }
}

export function newId() {
  const id = randomId();
  write(LAST, id);
  return id;
}

export function markSubmitted() {
  const last = read(LAST);
  if (last) write(DONE, last);
}

export function wasSubmitted(id) {
  return Boolean(id) && read(DONE) === id;
}
