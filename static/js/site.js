/** On every page: show what needs script, remember how the visitor came, move focus to what was announced. */

import { originOf, rememberVisit } from "./visit.js";

for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;
document.querySelector("[data-focus]")?.focus();
rememberVisit();

/* A check that begins tells what kind of place its visitor came from, and which article they read last. */
for (const form of document.querySelectorAll("form[data-start]")) {
  form.addEventListener("submit", () => {
    const { source, article } = originOf(form.dataset);
    form.elements.source.value = source;
    form.elements.article.value = article;
  });
}
