/**
 * The health check's questions: a click or a digit chooses and moves on, arrow keys only choose. Sent once.
 */

const form = document.querySelector("form[data-check]");

/* One send at a time; what comes back from the history can be sent again. */
const sent = new Set();
addEventListener("submit", (event) => {
  if (sent.has(event.target)) return event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", () => sent.clear());

if (form) {
  const next = form.querySelector("button[value=next]");
  const radios = [...form.querySelectorAll("input[type=radio]")];
  const amount = form.elements.amount;

  const moveOn = () => {
    if (!sent.has(form)) form.requestSubmit(next);
  };

  /* A pointer says how often it clicked, arrow keys and Space fire a click with none. The radio is chosen by then. */
  form.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.matches(".answer, .answer *")) setTimeout(moveOn);
  });

  /* An exact amount stands in place of a band. */
  amount?.addEventListener("input", () => {
    if (amount.value.trim()) for (const radio of radios) radio.checked = false;
  });
  form.addEventListener("change", (event) => {
    if (amount && event.target.type === "radio") amount.value = "";
  });

  const choose = (radio) => {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  };

  /* Before anything has focus the arrows find their way to the answers, and Enter to the next question. */
  const fromNowhere = {
    ArrowDown: (place) => radios[Math.min(place + 1, radios.length - 1)],
    ArrowUp: (place) => radios[Math.max(place - 1, 0)],
  };

  document.addEventListener("keydown", (event) => {
    if (event.target === amount || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    const idle = event.target === document.body;
    const place = radios.findIndex((radio) => radio.checked);
    const counted = /^[1-9]$/.test(event.key) && radios[Number(event.key) - 1];
    const radio = counted || (idle && fromNowhere[event.key]?.(place));
    if (radio) {
      event.preventDefault();
      choose(radio);
      if (counted) moveOn();
      else radio.focus();
    } else if (idle && event.key === "Enter") {
      moveOn();
    }
  });
}
