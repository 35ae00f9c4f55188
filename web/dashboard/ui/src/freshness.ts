// Whether the values on the page are current. When the stream is cut they stay,
// marked as old.
import { signal } from "@preact/signals";
import { serverTime } from "./clock";
import { unpressed } from "./press";

const bannerAfter = 1200; // ms; a shorter cut shows no banner

// fresh: all values on the page are current. asOf: when they last were, in ms.
// banner: show that the pacemaker is away.
export const fresh = signal(false);
export const asOf = signal(0);
export const banner = signal(false);

let isCut = false;
let timer = 0;

// pending are the topics that the present stream has not sent yet: the page shows
// old values of them.
let pending = new Set<string>();

// expectTopics sets the topics that a new stream will send.
export function expectTopics(topics: string[]): void { pending = new Set(topics); }

export function received(topic: string): void {
  pending.delete(topic);
  if (pending.size > 0) return;
  fresh.value = true;
  asOf.value = serverTime();
}

// late marks the page as old if some topic was not received in time.
export function late(): void { if (pending.size > 0) fresh.value = false; }

// cut: the stream is gone.
export function cut(): void {
  fresh.value = false;
  if (isCut) return;
  isCut = true;
  timer = setTimeout(() => unpressed(() => { banner.value = isCut; }), bannerAfter) as unknown as number;
}

// alive: something was received, if only a heartbeat.
export function alive(): void {
  if (isCut) reached();
  if (fresh.value) asOf.value = serverTime();
}

// aside: the page is hidden and follows no stream.
export function aside(): void { fresh.value = false; }

// reset clears the state, as when another user signs in.
export function reset(): void {
  fresh.value = false;
  reached();
}

function reached(): void {
  isCut = false;
  clearTimeout(timer);
  banner.value = false;
}
