/** The page of favourites: the list comes from this device, the articles from the site. */

import { favourites } from "./favourite-list.js";
import "./counts.js";

const place = document.querySelector("[data-kept-list]");
const slugs = favourites();

async function showKept() {
  try {
    const answer = await fetch(`/favourites?slugs=${slugs.map(encodeURIComponent).join(",")}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = page.querySelector("[data-kept-list]");
    if (answer.ok && list) place.replaceChildren(...list.children);
  } catch {
    place.textContent = "网络不通，收藏还在这台设备上，请稍后再打开。";
  }
}

if (slugs.length && !new URLSearchParams(location.search).has("slugs")) showKept();
