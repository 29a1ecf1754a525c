/** The consultation form: its id and touch, checks beside the fields after the first try, one submit at a time. */

import { randomId } from "./favourite-list.js";
import { fetchStamp, proofUnderWay } from "./stamp.js";
import { idFor } from "./submission.js";
import { touchField } from "./visit.js";

const form = document.querySelector("form[data-consultation]");
const id = form.elements.submission_id;
const button = form.querySelector(".button");
const label = button.textContent;

/* The page may come from any cache, so the id is made here, and not before someone writes. */
form.addEventListener("focusin", () => {
  if (!id.value) id.value = randomId();
});
form.addEventListener("focusin", () => fetchStamp(form), { once: true });

/* Checks: only what a browser can know for sure; the server has the last word on each. */
let tried = document.querySelector(".error-summary ul") !== null;

function problem(field) {
  if (field.type === "checkbox") return field.required && !field.checked ? field.dataset.missing : "";
  const value = field.value.trim();
  if (field.required && !value) return field.dataset.missing;
  if (field.type === "tel" && value) return phoneProblem(value, field.dataset.missing);
  const most = Number(field.dataset.most);
  return most && [...value].length > most ? `最多${most}字，请删去${[...value].length - most}字` : "";
}

/** A mainland mobile with a digit missing, or too few digits for any phone; never stricter than the server. */
function phoneProblem(value, example) {
  const text = value.normalize("NFKC");
  const digits = text.replace(/\D/g, "");
  if (digits.length < 5) return example;
  const mobile = /^(\+?86)?[\d\s-]+$/.test(text.trim()) && digits.replace(/^86/, "");
  const missing = mobile && /^1[3-9]/.test(mobile) ? 11 - mobile.length : 0;
  return missing === 1 || missing === 2 ? `手机号少${missing}位，应为11位` : "";
}

function show(field) {
  const message = problem(field);
  const place = document.getElementById(`${field.name}-error`);
  const box = field.closest(".field, .tick-group");
  if (!place || !box) return message;
  place.hidden = !message;
  place.querySelector("span").textContent = message;
  box.classList.toggle(box.classList.contains("field") ? "field--error" : "tick-group--error", Boolean(message));
  field.toggleAttribute("aria-invalid", Boolean(message));
  if (message) field.setAttribute("aria-invalid", "true");
  describe(field, message);
  return message;
}

/** The field is described by its error while it has one, and by its hint always. */
function describe(field, message) {
  const hint = document.getElementById(`${field.name}-hint`);
  const ids = [message && `${field.name}-error`, hint && hint.id].filter(Boolean);
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden" && field.tabIndex !== -1);

form.addEventListener("change", (event) => tried && show(event.target));
form.addEventListener("input", (event) => tried && event.target.getAttribute("aria-invalid") && show(event.target));

form.addEventListener("submit", (event) => {
  if (form.dataset.sending) return event.preventDefault();
  tried = true;
  const wrong = fields.filter((field) => show(field));
  if (wrong.length) {
    event.preventDefault();
    wrong[0].focus();
    return;
  }
  id.value = idFor(JSON.stringify(fields.map((field) => field.type === "checkbox" ? field.checked : field.value.trim())), id.value);
  form.elements.touch.value ||= touchField();
  form.dataset.sending = "yes";
  button.textContent = "正在提交…";
  setTimeout(allowAgain, 8000); // a stopped request tells the page nothing; sent twice it is still one enquiry
  const proof = proofUnderWay(form);
  if (proof) {
    event.preventDefault();
    proof.then(() => form.submit());
  }
});

function allowAgain() {
  delete form.dataset.sending;
  button.textContent = label;
}

/* Back from the thank-you page: the form can be sent again, and stays one enquiry. */
addEventListener("pageshow", allowAgain);
