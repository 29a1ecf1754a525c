/** On every page: show what needs script, remember how the visitor came, move focus to what was announced. */

import { rememberVisit } from "./visit.js";

for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;
document.querySelector("[data-focus]")?.focus();
rememberVisit();
