// One clock for all times on a page that tick.
import { signal } from "@preact/signals";

// ahead is how far the server's clock is ahead of this one, in milliseconds.
export const ahead = signal(0);

// now ticks once a second, in the server's time, while the page is visible.
export const now = signal(Date.now());

export function serverTime(): number {
  return Date.now() + ahead.value;
}

setInterval(() => { if (!document.hidden) now.value = serverTime(); }, 1000);
document.addEventListener("visibilitychange", () => { now.value = serverTime(); });
