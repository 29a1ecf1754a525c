/**
 * One enquiry, one id: 128 random bits. The id stays while the words stay, so that a double click, a reload, or Back and
 * once more sends the same enquiry; changed words get a new id. Remembered for this tab: the last id, and a short hash
 * of the words it was sent with.
 */

import { randomId } from "./favourite-list.js";

const KEY = "xinheng.submission";

function last() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

/** The id to send these words with; `present` is the one the form has, if any. */
export function idFor(words, present) {
  const sent = last();
  const hash = shortHash(words);
  const id = sent.words === hash ? sent.id : present && present !== sent.id ? present : randomId();
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ id, words: hash }));
  } catch {
    // without storage the server still tells a repeat by its id and words
  }
  return id;
}

/** 53 bits that tell words apart; not a secret (cyrb53's mixing of two 32-bit streams). */
function shortHash(text) {
  let left = 0xdeadbeef;
  let right = 0x41c6ce57;
  for (const sign of text) {
    left = Math.imul(left ^ sign.codePointAt(0), 2654435761);
    right = Math.imul(right ^ sign.codePointAt(0), 1597334677);
  }
  left = Math.imul(left ^ (left >>> 16), 2246822507) ^ Math.imul(right ^ (right >>> 13), 3266489909);
  right = Math.imul(right ^ (right >>> 16), 2246822507) ^ Math.imul(left ^ (left >>> 13), 3266489909);
  return 4294967296 * (2097151 & right) + (left >>> 0);
}
