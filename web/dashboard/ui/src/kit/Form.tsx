// A form with one button, which Enter presses too.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { messageOf } from "../api";
import { toast } from "./Toast";

interface Props {
  children: ComponentChildren;
  verb: string;
  what: string;  // the object, for messages
  ready: boolean;
  act: () => Promise<unknown>;
  foot?: ComponentChildren;
}

export function Form({ children, verb, what, ready, act, foot }: Props) {
  const busy = useSignal(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    try {
      await act();
    } catch (err) {
      toast({ text: `${verb} ${what}: ${messageOf(err)}`, bad: true });
    } finally {
      busy.value = false;
    }
  };
  return (
    <form class="add" onSubmit={submit}>
      {children}
      <button type="submit" class="button primary" disabled={!ready} aria-disabled={busy.value}>{verb}</button>
      {foot}
    </form>
  );
}
