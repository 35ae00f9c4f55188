// A form with one button, which Enter presses too. What it was refused for stands
// in it, below its fields.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { messageOf } from "../api";
import { Foreign } from "./Foreign";

interface Props {
  children: ComponentChildren;
  verb: string;
  ready: boolean;
  act: () => Promise<unknown>;
  refused?: (err: unknown) => boolean; // says that it shows the error where that is
  foot?: ComponentChildren;
}

export function Form({ children, verb, ready, act, refused, foot }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const busy = useSignal(false);
  const error = useSignal("");
  const times = useSignal(0); // that it was refused
  useEffect(() => {
    if (times.value) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [times.value]);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    error.value = "";
    try {
      await act();
    } catch (err) {
      if (!refused?.(err)) error.value = messageOf(err);
      times.value++;
    } finally {
      busy.value = false;
    }
  };
  return (
    <form class="add" ref={form} onSubmit={submit}>
      {children}
      <button type="submit" class="button primary" disabled={!ready} aria-disabled={busy.value}>{verb}</button>
      {error.value && <p class="bad" role="alert"><Foreign text={error.value} /></p>}
      {foot}
    </form>
  );
}
