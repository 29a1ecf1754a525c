/** A result page: answers that are tried move the figures without a reload; its address is copied; it is printed. */

const form = document.querySelector("form[data-what-if]");
const page = form.getAttribute("action").split("#")[0];
let asked;

/** The address of this page with the answers that differ from the visitor's own. */
function addressOfTried() {
  const changed = [...form.elements].filter((field) => field.dataset.own && field.value !== field.dataset.own);
  const query = new URLSearchParams(changed.map((field) => [field.name, field.value]));
  return changed.length ? `${page}?${query}` : page;
}

/** The server reckons, as it does without script; only its answer's figures are taken over. */
async function tryAnswers() {
  asked?.abort();
  asked = new AbortController();
  const address = addressOfTried();
  try {
    const answer = await fetch(address, { signal: asked.signal });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-tried]");
    const shown = document.querySelector("[data-tried]");
    shown.replaceChildren(...fresh.childNodes);
    history.replaceState(null, "", address);
  } catch (fault) {
    if (fault.name !== "AbortError") form.submit();
  }
}

form.addEventListener("change", tryAnswers);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await tryAnswers();
  document.querySelector("[data-tried]").scrollIntoView({ block: "nearest" });
});
form.querySelector("[data-own-again]").addEventListener("click", (event) => {
  event.preventDefault();
  for (const field of form.elements) if (field.dataset.own) field.value = field.dataset.own;
  tryAnswers();
});

const copy = document.querySelector("[data-copy]");
const address = document.querySelector("[data-address]");
copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(address.value).then(() => (copy.textContent = "已复制"), () => address.select());
});
address.addEventListener("focus", () => address.select());

const print = document.querySelector("[data-print]");
print.hidden = false;
print.addEventListener("click", () => window.print());
