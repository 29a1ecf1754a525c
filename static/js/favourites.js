/** The page of favourites: the list comes from this device, the articles from the site. */

import { favourites } from "./favourite-list.js";
import "./counts.js";

const place = document.querySelector("[data-kept-list]");
const slugs = favourites();

async function showKept() {
  try {
    const body = new URLSearchParams({ slugs: slugs.join(",") });
    const answer = await fetch("/favourites", { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = page.querySelector("[data-kept-list]");
    if (!answer.ok || !list) throw new Error("no list");
    place.replaceChildren(...list.children);
  } catch {
    place.textContent = "暂时读不到文章，收藏还在这台设备上，请稍后再打开。";
  }
}

if (slugs.length) showKept();
