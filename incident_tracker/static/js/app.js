// Starts the small behaviours that pages ask for by data- attributes. Every page works without them.
import { startCountdowns } from "./countdown.js";

startCountdowns(document);
document.querySelector(".refused")?.focus();
