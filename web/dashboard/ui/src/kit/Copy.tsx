// Commands that do the same as a page, with a button to copy them.
import { useSignal } from "@preact/signals";

async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text); // not available on plain http, except on localhost
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

// Command is a command line with a copy button.
export function Command({ text }: { text: string }) {
  return <span class="command"><code>{text}</code><Copy text={text} /></span>;
}

// Foot ends a page with the command that shows the same.
export function Foot({ text }: { text: string }) {
  return <footer class="foot"><span class="muted">Command line</span><Command text={text} /></footer>;
}
