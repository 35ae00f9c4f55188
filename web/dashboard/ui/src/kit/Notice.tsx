// A short message in the top bar, where it hides nothing of the page. The newest is
// shown; what went well goes by itself.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ended } from "../jobstore";
import { jobs } from "../live";
import type { Accepted } from "../types";
import { jobAddress } from "../router";
import { Foreign } from "./Foreign";

interface Note { id: number; text: string; bad?: boolean; job?: string; what?: string; open?: boolean }

const shown = 6000; // ms; an error stays until it is dismissed

const note = signal<Note | null>(null);
let last = 0;

export function notice(n: Omit<Note, "id">): void {
  const id = ++last;
  note.value = { ...n, id };
  if (!n.bad) setTimeout(() => dismiss(id), shown);
}

// started says that a job was accepted, with a link to it, and how it ended.
export function started(what: string, answer: Accepted): void {
  if (answer.job) notice({ text: `${what}: started.`, job: answer.job, what });
  else notice({ text: answer.message ? `${what}: ${answer.message}` : `${what}: nothing to do.` });
}

function dismiss(id: number): void {
  if (note.value?.id === id) note.value = null;
}

// useEnd replaces what was said of a job once that has ended.
function useEnd(n: Note | null): void {
  const state = n?.what && n.job ? jobs.value?.get(n.job)?.state ?? "" : "";
  useEffect(() => {
    if (!n || !ended({ state })) return;
    if (state === "succeeded") notice({ text: `${n.what}: done.` });
    else notice({ text: `${n.what}: ${state === "failed" ? "failed" : "cancelled"}.`, bad: state === "failed", job: n.job ?? "" });
  }, [state]);
}

export function Notice() {
  const n = note.value;
  useEnd(n);
  return (
    <div class="notice" role="status" aria-live="polite">
      {n && (
        <div class={`note ${n.bad ? "bad" : ""} ${n.open ? "open" : ""}`}>
          <span class="grow" title={n.text} onClick={() => { note.value = { ...n, open: !n.open }; }}><Foreign text={n.text} /> {n.job && <a href={jobAddress(n.job)}>{n.what ? "Watch" : "See why"}</a>}</span>
          <button type="button" class="icon" aria-label="Dismiss" onClick={() => dismiss(n.id)}>×</button>
        </div>
      )}
    </div>
  );
}
