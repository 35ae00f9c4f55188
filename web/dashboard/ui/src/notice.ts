// What the top bar says for a moment: the newest of what was noticed, and how jobs
// ended that were begun here, however long they took.
import { effect, signal } from "@preact/signals";
import { ended } from "./jobstore";
import { jobs } from "./live";
import type { Accepted, Job } from "./types";

export interface Note { id: number; text: string; bad?: boolean; job?: string; awaited?: boolean; open?: boolean }

const shown = 6000; // ms; an error stays until it is dismissed

export const note = signal<Note | null>(null);
let last = 0;
const begun = new Map<string, string>(); // what was asked for, by the job that does it

export function notice(n: Omit<Note, "id">): void {
  const id = ++last;
  note.value = { ...n, id };
  if (!n.bad) setTimeout(() => dismiss(id), shown);
}

export function dismiss(id: number): void {
  if (note.value?.id === id) note.value = null;
}

// started says that a job was accepted, with a link to it, and later how it ended.
export function started(what: string, answer: Accepted): void {
  if (!answer.job) return notice({ text: answer.message ? `${what}: ${answer.message}` : `${what}: nothing to do.` });
  notice({ text: `${what}: started.`, job: answer.job, awaited: true });
  begun.set(answer.job, what);
  sayEnds(jobs.value);
}

// sayEnds tells of those begun here that have ended by now.
function sayEnds(known: ReadonlyMap<string, Job> | null): void {
  for (const [job, what] of begun) {
    const state = known?.get(job)?.state ?? "";
    if (!ended({ state }) || !begun.delete(job)) continue;
    if (state === "succeeded") notice({ text: `${what}: done.` });
    else notice({ text: `${what}: ${state === "failed" ? "failed" : "cancelled"}.`, bad: state === "failed", job });
  }
}

effect(() => sayEnds(jobs.value));
