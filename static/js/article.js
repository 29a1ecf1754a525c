/** An article: counted as read after three visible seconds, kept or dropped as a favourite, its address copied. */

import { showReads } from "./counts.js";
import { deviceId, favourites, isFavourite, keepFavourite } from "./favourite-list.js";
import { hostOf, rememberRead } from "./visit.js";

const READ_AFTER = 3000;
const slug = document.querySelector("[data-article]").dataset.article;
const status = document.querySelector("[data-status]");

function say(text) {
  status.textContent = text;
}

/* The read: the page has been visible for three seconds in all. */
let visibleFor = 0;
let since = document.visibilityState === "visible" ? performance.now() : null;
let timer;

function watch() {
  clearTimeout(timer);
  if (document.visibilityState === "visible") {
    since = performance.now();
    timer = setTimeout(countRead, Math.max(READ_AFTER - visibleFor, 0));
  } else if (since !== null) {
    visibleFor += performance.now() - since;
    since = null;
  }
}

async function countRead() {
  document.removeEventListener("visibilitychange", watch);
  rememberRead(slug);
  try {
    const body = new URLSearchParams({ referrer: `//${hostOf(document.referrer)}` });
    const answer = await fetch(`/articles/${slug}/reads`, { method: "POST", body, keepalive: true });
    if (answer.ok) showReads(slug, (await answer.json()).reads);
  } catch {
    // not counted: the page is read all the same
  }
}

document.addEventListener("visibilitychange", watch);
if (document.prerendering) document.addEventListener("prerenderingchange", watch, { once: true });
else watch();

/* 收藏 */
const button = document.querySelector("[data-favourite]");

function showFavourite() {
  const kept = isFavourite(slug);
  button.setAttribute("aria-pressed", String(kept));
  button.querySelector("span").textContent = kept ? "已收藏" : "收藏";
}

button.addEventListener("click", async () => {
  const kept = !isFavourite(slug);
  if (!keepFavourite(slug, kept)) {
    button.querySelector("span").textContent = "收藏不了";
    say("这个浏览器不让网站保存内容，收藏不了；可以把文章加进书签");
    return;
  }
  showFavourite();
  say(kept ? `已收藏，共${favourites().length}篇` : "已取消收藏");
  try {
    await fetch(`/articles/${slug}/favourite`, {
      method: kept ? "PUT" : "DELETE",
      headers: { "X-Device": deviceId() },
      keepalive: true,
    });
  } catch {
    // the list is on the device; the count can miss one
  }
});
addEventListener("pageshow", showFavourite);
showFavourite();

/* Copy the address without what other sites hang on it. */
const copy = document.querySelector("[data-copy-link]");

copy.addEventListener("click", async () => {
  const address = document.querySelector('link[rel="canonical"]').href;
  const label = copy.querySelector("span");
  try {
    await navigator.clipboard.writeText(address);
    label.textContent = "已复制";
    say("链接已复制");
    setTimeout(() => (label.textContent = "复制链接"), 2000);
  } catch {
    prompt("请复制这个链接：", address);
  }
});
