/** A lead's page: what is typed into the note is kept on the server, so that no text is lost. */

const form = document.querySelector("[data-draft]");
const note = form.elements.note;
const state = form.querySelector("[data-draft-state]");
const PAUSE = 800; // milliseconds without a key before a draft is saved
const LONGEST_WAIT = 2000; // milliseconds another button waits for the draft
let saved = note.value;
let timer = 0;
let sending = Promise.resolve();

/** Save what stands there now; one at a time, so that an older text never overtakes a newer one. */
function save(keepalive = false) {
  clearTimeout(timer);
  if (note.value === saved) return;
  const text = note.value;
  saved = text;
  const body = new URLSearchParams({ note: text });
  const headers = { "X-CSRFToken": form.elements.csrf_token.value };
  const send = () => fetch(form.dataset.draft, { method: "PUT", body, headers, keepalive });
  sending = (keepalive ? send() : sending.then(send)).then(report, failed);
}

async function report(response) {
  if (!response.ok || response.redirected) return failed();
  state.textContent = form.dataset.saved.replace("{time}", (await response.json()).saved);
}

function failed() {
  saved = null;
  state.textContent = form.dataset.unsaved;
}

note.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") save(true);
});
form.addEventListener("submit", () => {
  clearTimeout(timer);
  saved = note.value; // it is being written down: leaving the page must not make a draft of it again
});

/* Another button than the note's own: the page comes back, so the note must be kept before it goes. */
let leaving = "";
document.addEventListener("submit", async (event) => {
  if (event.target === form || leaving === "free" || note.value === saved) return;
  event.preventDefault();
  if (leaving) return;
  leaving = "saving";
  save();
  await Promise.race([sending, new Promise((done) => setTimeout(done, LONGEST_WAIT))]);
  leaving = "free";
  event.target.requestSubmit(event.submitter);
});
addEventListener("pageshow", () => {
  leaving = "";
});
