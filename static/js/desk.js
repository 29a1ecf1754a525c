/** On every page of the desk: the keyboard of the lists, the search box, focus where something is announced. */

const rows = [...document.querySelectorAll("[data-row]")];
const dialog = document.getElementById("keys");
const find = document.querySelector("[data-find]");
const opener = document.querySelector("[data-keys]");
let current = rows.findIndex((row) => `#${row.id}` === location.hash);

document.querySelector("[data-focus]")?.focus();
if (opener && dialog) {
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
}

/* A bar that is wider than the screen starts where one is, with a neighbour to be seen. */
for (const here of document.querySelectorAll("nav [aria-current]")) {
  const bar = here.closest("nav");
  const beyond = here.getBoundingClientRect().right - bar.getBoundingClientRect().right;
  if (beyond > 0) bar.scrollLeft += beyond + bar.clientWidth / 4;
}

/* Where the list was left: the row is marked, and Tab goes on from its link. */
if (current >= 0) addEventListener("load", () => go(current)); // the browser goes to the fragment before

function go(place) {
  if (!rows.length) return;
  rows[current]?.removeAttribute("aria-selected");
  current = Math.min(Math.max(place, 0), rows.length - 1);
  rows[current].setAttribute("aria-selected", "true");
  rows[current].querySelector(".who a").focus();
}

const deeds = {
  j: () => go(current + 1),
  k: () => go(current - 1),
  x: () => rows[current]?.querySelector("input[type=checkbox]")?.click(),
  "/": () => find?.focus(),
  "?": () => dialog?.showModal(),
};

/** Somebody types, or holds a key that belongs to the browser: then a letter is a letter. */
function isTyping(event) {
  const field = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
  return field || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog?.open;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target === find) find.blur();
  if (isTyping(event) || !deeds[event.key]) return;
  event.preventDefault();
  deeds[event.key]();
});

/* A second press while the first is on its way does nothing; what only waits for a draft isn't on its way yet. */
const sent = new Set();
addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", () => sent.clear());

/* Why a lead stands where it does: Escape puts the words away, until pointer and focus have left them. */
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const why of document.querySelectorAll(".why:is(:hover, :focus-within)")) why.dataset.closed = "";
});
for (const name of ["mouseout", "focusout"]) {
  addEventListener(name, (event) => {
    const why = event.target.closest?.(".why");
    if (why && !why.contains(event.relatedTarget)) delete why.dataset.closed;
  });
}
