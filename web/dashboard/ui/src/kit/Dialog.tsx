// Dialogs, and confirmations of changes.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { messageOf } from "../api";
import { Foreign } from "./Foreign";
import { notice } from "../notice";

const reachable = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";

// keepInside moves the focus from the last control to the first on Tab, and back.
function keepInside(e: KeyboardEvent): void {
  const box = e.currentTarget as HTMLElement;
  const all = [...box.querySelectorAll<HTMLElement>(reachable)].filter((el) => el.offsetParent !== null);
  const [from, to] = e.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (e.key !== "Tab" || !to || (document.activeElement !== from && box.contains(document.activeElement))) return;
  e.preventDefault();
  to.focus();
}

// giveBack returns the focus to where it was, or to the page if that is gone.
function giveBack(before: HTMLElement | null): void {
  const to = before?.isConnected && before !== document.body ? before : document.getElementById("main");
  to?.focus();
}

// begin gives the focus to a dialog's first field, or else to the button that
// changes nothing: not to the one in its corner, where what is typed is lost.
function begin(box: HTMLElement | null): void {
  const first = box?.querySelector<HTMLElement>("[autofocus], input, select, textarea") ?? box?.querySelector<HTMLElement>("[data-leave]");
  first?.focus();
  if (first instanceof HTMLInputElement) first.select();
}

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  look?: "wide" | "high";
  left?: { current: boolean }; // set when it led to another page, which then gets the focus
}

export function Dialog({ title, onClose, children, look, left }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const pressed = useRef(false); // the press began outside the box; a selection that began inside may end there
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    begin(ref.current);
    return () => giveBack(left?.current ? null : before);
  }, []);
  return (
    <dialog ref={ref} class={look} aria-labelledby={id} onClose={onClose} onKeyDown={keepInside}
      onPointerDown={(e) => { pressed.current = e.target === ref.current; }}
      onClick={(e) => { if (pressed.current && e.target === ref.current) ref.current?.close(); }}
    >
      <div class="inside">
        <header><h2 id={id}>{title}</h2><button type="button" class="icon" aria-label="Close" onClick={() => ref.current?.close()}>×</button></header>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  says: ComponentChildren; // what will change
  verb: string;
  leave?: string; // what closes it without the act; "Cancel"
  danger?: boolean;
  wait?: boolean; // not yet: what will change is still being found out
  name?: string; // to be typed for confirmation
  act: () => Promise<unknown>;
  onClose: () => void;
}

export function Confirm({ title, says, verb, leave, danger, wait, name, act, onClose }: Question) {
  const typed = useSignal("");
  const error = useSignal("");
  const busy = useSignal(false);
  const over = useRef(false);
  useEffect(() => () => { over.current = true; }, []);
  const ready = !wait && (!name || typed.value === name);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    try {
      await act();
      if (!over.current) onClose();
    } catch (err) {
      if (over.current) return notice({ text: `${title}: ${messageOf(err)}`, bad: true });
      error.value = messageOf(err);
      busy.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <div class="says">{says}</div>
        {name && (
          <label class="field">To confirm, type <code>{name}</code>
            <input value={typed.value} onInput={(e) => { typed.value = e.currentTarget.value; }} autocomplete="off" autocapitalize="off" spellcheck={false} />
          </label>
        )}
        {error.value && <p class="bad" role="alert"><Foreign text={error.value} /></p>}
        <div class="actions">
          <button type="button" class="button" data-leave onClick={onClose}>{leave ?? "Cancel"}</button>
          <button type="submit" class={`button ${danger ? "danger" : "primary"}`} disabled={!ready || busy.value}>{verb}</button>
        </div>
      </form>
    </Dialog>
  );
}
