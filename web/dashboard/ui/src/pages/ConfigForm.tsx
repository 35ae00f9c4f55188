// New values of config vars, any number of them in one release.
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { ApiError, messageOf, path, post } from "../api";
import { count } from "../format";
import { Button } from "../kit/Button";
import { Confirm } from "../kit/Dialog";
import { Foreign } from "../kit/Foreign";
import { Form } from "../kit/Form";
import { notice } from "../notice";

export type Vars = Record<string, string>;

interface Draft { key: string; value: string }

const blank: Draft = { key: "", value: "" };

// merged puts vars that were read into the drafts: in place of those of the same
// name, and of an empty last one.
export function merged(drafts: Draft[], vars: Vars): Draft[] {
  const kept = drafts.filter((d) => (d.key.trim() || d.value) && !(d.key.trim() in vars));
  return [...kept, ...Object.entries(vars).map(([key, value]) => ({ key, value }))];
}

// isFile tells a pasted .env file from the name of one config var.
export const isFile = (text: string): boolean => /^\s*(export\s+)?[\w.]+\s*=/m.test(text);

export const rowsOf = (text: string) => Math.min(6, text.split("\n").length);

// enterSends makes Enter submit a multi-line field, which can hold a pasted key;
// Shift+Enter starts a new line.
function enterSends(e: KeyboardEvent): void {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  (e.currentTarget as HTMLTextAreaElement).form?.requestSubmit();
}

// withLine adds the line that an error names by its number.
function withLine(err: unknown, text: string): unknown {
  const said = messageOf(err);
  const line = text.split("\n")[Number(/^line (\d+)/i.exec(said)?.[1]) - 1]?.trim();
  return line ? new Error(`${said}: ${line}`) : err;
}

// present are the vars that the app has now.
interface Props { app: string; present: Vars; effect: string; set: (vars: Vars) => Promise<void> }

export function ConfigForm({ app, present, effect, set }: Props) {
  const drafts = useSignal<Draft[]>([blank]);
  const pasting = useSignal(false);
  const wrong = useSignal<Vars>({}); // why a var was refused, by its key
  const named = drafts.value.filter((d) => d.key.trim());
  const change = (at: number, part: Partial<Draft>) => { drafts.value = drafts.value.map((d, i) => (i === at ? { ...d, ...part } : d)); };
  const read = async (text: string) => {
    const { vars } = await post<{ vars: Vars }>(path("apps", app, "config", "parse"), { text }).catch((err: unknown) => { throw withLine(err, text); });
    drafts.value = merged(drafts.value, vars);
    notice({ text: `Read ${count(Object.keys(vars).length, "config var")}. Nothing is set yet.` });
  };
  const save = async () => {
    await set(Object.fromEntries(named.map((d) => [d.key.trim(), d.value])));
    drafts.value = [blank];
    wrong.value = {};
  };
  const refused = (err: unknown) => {
    const here = err instanceof ApiError ? err.fields.filter((f) => named.some((d) => d.key.trim() === f.name)) : [];
    wrong.value = Object.fromEntries(here.map((f) => [f.name, f.message]));
    return here.length > 0 && here.length === (err as ApiError).fields.length;
  };
  return (
    <>
      <Form verb={named.length > 1 ? `Set ${named.length} vars` : "Set"} refused={refused} ready={named.length > 0} act={save} foot={<p class="muted">{effect}</p>}>
        {drafts.value.map((d, i) => (
          <Row key={i} draft={d} n={i + 1} wrong={wrong.value[d.key.trim()]} replaces={d.key.trim() in present} change={(part) => change(i, part)} read={read}
            drop={drafts.value.length > 1 ? () => { drafts.value = drafts.value.filter((_, j) => j !== i); } : undefined} />
        ))}
        <span class="acts">
          <Button kind="quiet" onClick={() => { drafts.value = [...drafts.value, blank]; }}>Add another</Button>
          <Button kind="quiet" onClick={() => { pasting.value = true; }}>Paste a .env file</Button>
        </span>
      </Form>
      {pasting.value && <Paste read={read} onClose={() => { pasting.value = false; }} />}
    </>
  );
}

interface RowProps { draft: Draft; n: number; wrong: string | undefined; replaces: boolean; change: (part: Partial<Draft>) => void; read: (text: string) => Promise<void>; drop: (() => void) | undefined }

function Row({ draft, n, wrong, replaces, change, read, drop }: RowProps) {
  const id = useId();
  const failed = useSignal(""); // to read what was pasted
  const why = failed.value || wrong;
  const more = n > 1 ? ` ${n}` : "";
  const pasted = (e: ClipboardEvent) => {
    const text = e.clipboardData?.getData("text/plain") ?? "";
    if (!isFile(text)) return;
    e.preventDefault();
    read(text).then(() => { failed.value = ""; }, (err: unknown) => { failed.value = messageOf(err); });
  };
  return (
    <span class="draft">
      <label class="field">{`Key${more}`}<input class="mono" value={draft.key} aria-invalid={why ? "true" : undefined} aria-describedby={id} onInput={(e) => change({ key: e.currentTarget.value })} onPaste={pasted} autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
      <label class="field grow">{`Value${more}`}<textarea class="mono" rows={rowsOf(draft.value)} value={draft.value} onInput={(e) => change({ value: e.currentTarget.value })} onKeyDown={enterSends} autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
      {drop && <Button kind="quiet" onClick={drop} label={`Leave out ${draft.key || `var ${n}`}`}>Leave out</Button>}
      <span id={id} class={why ? "bad why" : "why"} role={why ? "alert" : undefined}>{why ? <Foreign text={why} /> : replaces && "replaces its present value"}</span>
    </span>
  );
}

// Paste takes a whole file. What is in it can be looked at before it is set.
function Paste({ read, onClose }: { read: (text: string) => Promise<void>; onClose: () => void }) {
  const text = useSignal("");
  const says = (
    <label class="field">Lines of KEY=VALUE
      <textarea class="mono" rows={10} value={text.value} onInput={(e) => { text.value = e.currentTarget.value; }} placeholder={'GREETING="Good morning"\nLOG_LEVEL=info'} autocomplete="off" autocapitalize="off" spellcheck={false} autofocus />
      <span class="muted">Comments and quotes are read as by aorta config set --file. Nothing is set yet.</span>
    </label>
  );
  return <Confirm title="Paste a .env file" says={says} verb="Read it" act={() => read(text.value)} onClose={onClose} />;
}
