// Renews [data-live] from its own address while the page is in sight, so that a board left open stays true.
import { startCountdowns } from "./countdown.js";

const EVERY = 20000;

async function renew(element) {
  if (document.hidden || element.contains(document.activeElement)) return;
  const answer = await fetch(element.dataset.live, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const same = fresh.getElementById(element.id);
  if (!same) return;
  document.body.dataset.serverNow = fresh.body.dataset.serverNow;
  element.replaceChildren(...same.childNodes);
  const pulse = document.getElementById("pulse");
  pulse?.replaceChildren(...(fresh.getElementById("pulse")?.childNodes ?? []));
  startCountdowns(document);
}

export function startLive(root) {
  for (const element of root.querySelectorAll("[data-live]")) {
    setInterval(() => renew(element).catch(() => {}), EVERY);
  }
}
