/** The enquiry has arrived: another one from this tab gets an id of its own as soon as its words differ. */

import { markSubmitted } from "./submission.js";

markSubmitted();
