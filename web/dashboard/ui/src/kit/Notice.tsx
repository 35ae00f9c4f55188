// A short message in the top bar, where it hides nothing of the page. The newest is
// shown; what went well goes by itself.
import { dismiss, note } from "../notice";
import { jobAddress } from "../router";
import { Foreign } from "./Foreign";

export function Notice() {
  const n = note.value;
  return (
    <div class="notice" role="status" aria-live="polite">
      {n && (
        <div class={`note ${n.bad ? "bad" : ""} ${n.open ? "open" : ""}`}>
          <span class="grow" title={n.text} onClick={() => { note.value = { ...n, open: !n.open }; }}><Foreign text={n.text} /> {n.job && <a href={jobAddress(n.job)}>{n.awaited ? "Watch" : "See why"}</a>}</span>
          <button type="button" class="icon" aria-label="Dismiss" onClick={() => dismiss(n.id)}>×</button>
        </div>
      )}
    </div>
  );
}
