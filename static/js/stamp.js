/**
 * A form's stamp: the signed time of its first focus, and, while many enquiries come at once, a proof of work that this
 * browser finds in the background. Neither is needed: without them the form is sent and kept all the same.
 */

const WAIT = 2000; // milliseconds a form that is being sent waits for its proof

/** Fetch the stamp of a form that nothing was typed into yet; one that came back keeps its own, or has none. */
export async function fetchStamp(form) {
  const { stamp, proof } = form.elements;
  if (stamp.value || written(form)) return;
  try {
    const answer = await fetch("/consultation/stamp", { credentials: "omit", cache: "no-store" });
    if (!answer.ok) return;
    const greeting = await answer.json();
    stamp.value = greeting.stamp;
    if (!greeting.challenge) return;
    finding.set(form, find(greeting.challenge).then((found) => { proof.value = found; }));
  } catch {
    // no network at this moment, or an old browser: nothing depends on it
  }
}

/** The proof that is still being found, as a promise that ends in two seconds at most; nothing where there is none. */
export function proofUnderWay(form) {
  const work = finding.get(form);
  if (!work || form.elements.proof.value) return undefined;
  return Promise.race([work, new Promise((enough) => setTimeout(enough, WAIT))]).then(() => finding.delete(form));
}

const finding = new WeakMap();

function written(form) {
  return [...form.elements].some((field) => field.matches("textarea, input[type=tel]") && field.value);
}

function find(challenge) {
  return new Promise((found) => {
    const worker = new Worker(new URL("./proof-worker.js", import.meta.url));
    worker.onmessage = ({ data }) => {
      worker.terminate();
      found(data);
    };
    worker.onerror = () => found("");
    worker.postMessage(challenge);
  });
}
