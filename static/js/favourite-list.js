/** The reader's own list of articles, on this device. */

const LIST = "xinheng.favourites";
const DEVICE = "xinheng.device";

/** Slugs, the one kept last first. */
export function favourites() {
  try {
    const list = JSON.parse(localStorage.getItem(LIST));
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

export function isFavourite(slug) {
  return favourites().includes(slug);
}

/** Keep or drop an article; false where this browser keeps nothing. */
export function keepFavourite(slug, kept) {
  const others = favourites().filter((other) => other !== slug);
  try {
    localStorage.setItem(LIST, JSON.stringify(kept ? [slug, ...others] : others));
    return true;
  } catch {
    return false;
  }
}

/** 128 random bits made on this device at the first click, so that a count counts devices. */
export function deviceId() {
  let id = localStorage.getItem(DEVICE);
  if (!id) {
    id = randomId();
    localStorage.setItem(DEVICE, id);
  }
  return id;
}

/** 128 random bits in hexadecimal. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
