// A button that waits for its action and reports its error.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { messageOf } from "../api";
import { toast } from "./Toast";

interface Props {
  children: ComponentChildren;
  onClick: () => unknown;
  kind?: "primary" | "danger" | "quiet";
  disabled?: boolean;
  label?: string; // accessible name, if the text is not enough
}

export function Button({ children, onClick, kind, disabled, label }: Props) {
  const busy = useSignal(false);
  const press = async () => {
    if (busy.value) return;
    busy.value = true;
    try {
      await onClick();
    } catch (err) {
      const what = label ?? (typeof children === "string" ? children : "");
      toast({ text: (what && what + ": ") + messageOf(err), bad: true });
    } finally {
      busy.value = false;
    }
  };
  return (
    <button type="button" class={`button ${kind ?? ""}`} disabled={disabled} aria-disabled={busy.value} aria-label={label} onClick={press}>
      {children}
    </button>
  );
}
