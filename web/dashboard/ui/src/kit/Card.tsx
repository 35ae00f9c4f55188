import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props { title: string; children: ComponentChildren; aside?: ComponentChildren; danger?: boolean }

// Card is a part of a page with a heading.
export function Card({ title, children, aside, danger }: Props) {
  const id = useId();
  return (
    <section class={`card ${danger ? "danger" : ""}`} aria-labelledby={id}>
      <header><h2 id={id}>{title}</h2>{aside}</header>
      {children}
    </section>
  );
}
