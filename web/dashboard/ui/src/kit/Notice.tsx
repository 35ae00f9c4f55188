// Short messages at the bottom of the page.
import { signal } from "@preact/signals";
import type { Accepted } from "../types";
import { jobAddress } from "../router";
import { Foreign } from "./Foreign";

interface Note { id: number; text: string; bad?: boolean; href?: string }

const notes = signal<Note[]>([]);
let last = 0;

export function toast(note: Omit<Note, "id">): void {
  const id = ++last;
  notes.value = [...notes.value.filter((n) => n.text !== note.text), { ...note, id }].slice(-3);
  if (!note.bad) setTimeout(() => dismiss(id), 8000); // an error stays until it is dismissed
}

// started says that a job was accepted, with a link to it.
export function started(what: string, answer: Accepted): void {
  if (answer.job) toast({ text: `${what}: started.`, href: jobAddress(answer.job) });
  else toast({ text: answer.message ? `${what}: ${answer.message}` : `${what}: nothing to do.` });
}

function dismiss(id: number): void {
  notes.value = notes.value.filter((n) => n.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {notes.value.map((n) => (
        <div key={n.id} class={`toast ${n.bad ? "bad" : ""}`}>
          <span class="grow">{n.bad && <b>Failed. </b>}<Foreign text={n.text} /> {n.href && <a href={n.href}>Watch</a>}</span>
          <button type="button" class="icon" aria-label="Dismiss" onClick={() => dismiss(n.id)}>×</button>
        </div>
      ))}
    </div>
  );
}
