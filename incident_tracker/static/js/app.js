// Starts the small behaviours that pages ask for by data- attributes. Every page works without them.
import { startCopying } from "./copy.js";
import { startCountdowns } from "./countdown.js";
import { startLive } from "./live.js";

startCopying(document);
startCountdowns(document);
startLive(document);
document.querySelector(".refused")?.focus();
