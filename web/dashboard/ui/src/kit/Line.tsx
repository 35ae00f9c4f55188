import type { ComponentChildren } from "preact";
import { Foreign } from "./Foreign";
import { For } from "./Time";
import { State } from "./State";

interface Props { title: ComponentChildren; state: string; word?: string; text: string; since?: string | undefined; aside?: ComponentChildren }

// Line is the first line of a page: the state as a sentence, and since when. Only
// the sentence is announced to screen readers, not the ticking time.
export function Line({ title, state, word, text, since, aside }: Props) {
  return (
    <header class="line">
      <div class="grow">
        <h1>{typeof title === "string" ? <Foreign text={title} /> : title}</h1>
        <p class="says"><State state={state} word={word ?? ""} /><span><span role="status" aria-live="polite"><Foreign text={text} /></span>{since && <span class="muted since"> for <For since={since} /></span>}</span></p>
      </div>
      {aside && <div class="aside">{aside}</div>}
    </header>
  );
}
