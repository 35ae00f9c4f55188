// Commands that do the same as a page, to copy.
import { useSignal } from "@preact/signals";

async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text); // absent on plain http beyond this machine
    return true;
  } catch {
    return false;
  }
}

export function Copy({ text, label }: { text: string; label?: string }) {
  const done = useSignal("");
  const copy = async (e: Event) => {
    const code = (e.currentTarget as HTMLElement).parentElement?.querySelector("code");
    done.value = (await put(text)) ? "Copied" : "Selected";
    if (done.value === "Selected" && code) getSelection()?.selectAllChildren(code);
    setTimeout(() => { done.value = ""; }, 2000);
  };
  return <button type="button" class="copy" aria-label={label ?? `Copy: ${text}`} onClick={copy}><span aria-live="polite">{done.value || "Copy"}</span></button>;
}

// Command is one command line with its button.
export function Command({ text }: { text: string }) {
  return <span class="command"><code>{text}</code><Copy text={text} /></span>;
}

// Foot is the quiet line with the command that does what the page does.
export function Foot({ text }: { text: string }) {
  return <footer class="foot"><span class="muted">The same in a terminal</span><Command text={text} /></footer>;
}
