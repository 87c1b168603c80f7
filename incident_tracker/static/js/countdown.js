// Keeps every [data-countdown] true. The page says what the server's clock showed, so a wrong clock here does no harm.
let said = document.body.dataset.serverNow;
let started = performance.now();

function serverNow() {
  if (said !== document.body.dataset.serverNow) {
    said = document.body.dataset.serverNow;
    started = performance.now();
  }
  return Date.parse(said) + (performance.now() - started);
}

function words(milliseconds) {
  const minutes = Math.floor(milliseconds / 60000);
  if (minutes < 1) return `${Math.floor(milliseconds / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 180) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  if (minutes < 96 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 1440)} days`;
}

function show(element) {
  const span = Date.parse(element.dataset.countdown) - serverNow();
  const hours = span / 3600000;
  element.textContent = span > 0 ? `${words(span)} left` : `${words(-span)} overdue`;
  element.classList.toggle("left-over", span <= 0);
  element.classList.toggle("left-hot", span > 0 && hours <= 24);
  element.classList.toggle("left-warm", hours > 24 && hours <= 72);
}

const tick = () => document.querySelectorAll("[data-countdown]").forEach(show);
let ticking = null;

export function startCountdowns(root) {
  if (!root.querySelector("[data-countdown]")) return;
  tick();
  ticking ??= setInterval(tick, 1000);
}

document.addEventListener("visibilitychange", tick);
