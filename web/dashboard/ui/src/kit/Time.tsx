// Times relative to now, with the exact one on hover.
import { now } from "../clock";
import { age, exact, span } from "../format";
import { asOf, fresh } from "../freshness";

// Ago is how long ago a moment was: "3 min ago".
export function Ago({ at }: { at: string | null | undefined }) {
  if (!at) return <span class="muted">–</span>;
  const ms = now.value - Date.parse(at);
  return <time dateTime={at} title={exact(at)}>{ms < 2000 ? "just now" : `${age(ms)} ago`}</time>;
}

// For is the time since a moment: "3 min".
export function For({ since }: { since: string | null | undefined }) {
  if (!since) return null;
  return <time dateTime={since} title={exact(since)}>{age(now.value - Date.parse(since))}</time>;
}

// Duration ticks until it has an end, or until the page's values are old.
export function Duration({ from, to }: { from: string | undefined; to: string | undefined }) {
  if (!from) return null;
  const end = to ? Date.parse(to) : fresh.value ? now.value : asOf.value || now.value;
  return <time class="num" dateTime={from} title={exact(from)}>{span(end - Date.parse(from))}</time>;
}
