// A button that waits for its action, and has its error beside it.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { messageOf } from "../api";
import { Foreign } from "./Foreign";

interface Props {
  children: ComponentChildren;
  onClick: () => unknown;
  kind?: "primary" | "danger" | "quiet";
  disabled?: boolean;
  submit?: boolean; // Enter in a field of its form presses it, too
  label?: string; // accessible name, if the text is not enough
}

export function Button({ children, onClick, kind, disabled, submit, label }: Props) {
  const busy = useSignal(false);
  const error = useSignal("");
  const press = async () => {
    if (busy.value) return;
    busy.value = true;
    error.value = "";
    try {
      await onClick();
    } catch (err) {
      error.value = messageOf(err);
    } finally {
      busy.value = false;
    }
  };
  return (
    <>
      <button type={submit ? "submit" : "button"} class={`button ${kind ?? ""}`} disabled={disabled} aria-disabled={busy.value} aria-label={label} onClick={press}>
        {children}
      </button>
      {error.value && <span class="bad refused" role="alert"><Foreign text={error.value} /></span>}
    </>
  );
}
