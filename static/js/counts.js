/** Put today's read counts into a page that may have come from a cache. */

const marks = [...document.querySelectorAll("[data-reads]")];
const slugs = [...new Set(marks.map((mark) => mark.dataset.reads))].slice(0, 60);

export function showReads(slug, reads) {
  for (const mark of document.querySelectorAll(`[data-reads="${CSS.escape(slug)}"]`)) {
    mark.value = String(reads);
    mark.textContent = reads.toLocaleString("en-US");
  }
}

if (slugs.length) {
  fetch(`/articles/read-counts?slugs=${slugs.join(",")}`)
    .then((answer) => (answer.ok ? answer.json() : {}))
    .then((counts) => Object.entries(counts).forEach(([slug, reads]) => showReads(slug, reads)))
    .catch(() => {}); // the count in the page stays
}
