// Whether what is on the page is so now. Values stay when the stream is cut;
// they are known to be old from then on.
import { signal } from "@preact/signals";
import { serverTime } from "./clock";

const bannerAfter = 1200; // ms; a cut shorter than this is not worth a word

// fresh is whether all that a page shows is as the stream last told; asOf when
// that was so last, in ms; banner whether to say that the pacemaker is away.
export const fresh = signal(false);
export const asOf = signal(0);
export const banner = signal(false);

let isCut = false;
let timer = 0;

// untold are the topics of which the stream at hand has said nothing yet: what
// the page shows of them is older than it.
let untold = new Set<string>();

// expectTold says which topics a stream that begins now will tell of.
export function expectTold(topics: string[]): void { untold = new Set(topics); }

export function told(topic: string): void {
  untold.delete(topic);
  if (untold.size > 0) return;
  fresh.value = true;
  asOf.value = serverTime();
}

// late counts what was not told yet as old.
export function late(): void { if (untold.size > 0) fresh.value = false; }

// cut says that the stream is gone.
export function cut(): void {
  fresh.value = false;
  if (isCut) return;
  isCut = true;
  timer = setTimeout(() => { banner.value = true; }, bannerAfter) as unknown as number;
}

// alive says that something came, be it a beat.
export function alive(): void {
  if (isCut) reached();
  if (fresh.value) asOf.value = serverTime();
}

// aside says that nobody looks, and so nothing is followed.
export function aside(): void { fresh.value = false; }

// reset forgets, as when another person signs in.
export function reset(): void {
  fresh.value = false;
  reached();
}

function reached(): void {
  isCut = false;
  clearTimeout(timer);
  banner.value = false;
}
