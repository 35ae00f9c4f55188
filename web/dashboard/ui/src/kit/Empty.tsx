import type { ComponentChildren } from "preact";
import { Command } from "./Copy";
import { Foreign } from "./Foreign";

// Empty shows that there is nothing yet, and the next step.
export function Empty({ title, children, commands }: { title: string; children?: ComponentChildren; commands?: string[] }) {
  return (
    <div class="empty">
      <p class="lead">{title}</p>
      {children && <p>{children}</p>}
      {commands?.map((c) => <Command key={c} text={c} />)}
    </div>
  );
}

// Wait is a placeholder while something loads.
export function Wait({ rows = 3 }: { rows?: number }) {
  return <div class="wait" role="status" aria-label="Loading">{Array.from({ length: rows }, (_, i) => <div key={i} />)}</div>;
}

// Trouble shows an error in place of what could not be loaded.
export function Trouble({ text, retry }: { text: string; retry?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <p><Foreign text={text} /></p>
      {retry && <button type="button" class="button" onClick={retry}>Try again</button>}
    </div>
  );
}
