import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, may, patch, path, messageOf } from "../api";
import { signs } from "../format";
import type { Accepted, AppDetail } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Copy } from "../kit/Copy";
import { Confirm } from "../kit/Dialog";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { started } from "../notice";
import { ConfigForm, rowsOf, type Vars } from "./ConfigForm";

interface Change { set?: Vars; unset?: string[] }

// titleOf names what a change does, as its job does.
function titleOf({ set, unset }: Change): string {
  const names = (verb: string, list: string[]) => (list.length > 3 ? `${verb} ${list.length} config vars` : list.length ? `${verb} ${list.join(", ")}` : "");
  return [names("Set", Object.keys(set ?? {})), names("Unset", unset ?? [])].filter(Boolean).join("; ");
}

export function AppConfig({ detail }: { detail: AppDetail }) {
  const vars = useSignal<Vars | null>(null);
  const error = useSignal("");
  const dropping = useSignal("");
  const name = detail.app.name;
  const load = async () => {
    try {
      vars.value = (await get<{ vars: Vars | null }>(path("apps", name, "config"))).vars ?? {};
      error.value = "";
    } catch (err) {
      error.value = messageOf(err);
    }
  };
  // A new release may have other vars.
  useEffect(() => { if (may("developer")) void load(); }, [name, detail.releases?.[0]?.id, may("developer")]);
  const change = async (c: Change) => {
    started(titleOf(c), await patch<Accepted>(path("apps", name, "config"), c));
    await load();
  };
  if (!may("developer")) return <Card title="Config vars"><p>Config vars can contain secrets. You need the role developer to see them.</p></Card>;
  const keys = Object.keys(vars.value ?? {}).sort();
  const effect = detail.app.release ? `This deploys a new release; ${detail.app.release} keeps running until the new one is healthy.` : "It takes effect with the first deploy.";
  return (
    <Card title="Config vars">
      {error.value && <Trouble text={error.value} retry={load} />}
      {!vars.value && !error.value && <Wait />}
      {vars.value && keys.length === 0 && <Empty title="No config vars yet." commands={[`aorta config set KEY=VALUE -a ${name}`]} />}
      <ul class="rows vars">{keys.map((k) => <Var key={k} name={k} value={vars.value![k]!} set={(v) => change({ set: { [k]: v } })} drop={() => { dropping.value = k; }} />)}</ul>
      {vars.value && <ConfigForm app={name} present={vars.value} effect={effect} set={(all) => change({ set: all })} />}
      {dropping.value && (
        <Confirm title={`Unset ${dropping.value}`} verb="Unset it" danger act={() => change({ unset: [dropping.value] })} onClose={() => { dropping.value = ""; }}
          says={<p>Its value is deleted. {effect}</p>} />
      )}
    </Card>
  );
}

// Var hides its value until Show is pressed: others may see the screen.
function Var({ name, value, set, drop }: { name: string; value: string; set: (v: string) => Promise<void>; drop: () => void }) {
  const seen = useSignal(false);
  const edited = useSignal<string | null>(null);
  const save = async () => {
    await set(edited.value ?? "");
    edited.value = null;
  };
  if (edited.value !== null) {
    return (
      <li>
        <label class="grow field"><code>{name}</code><textarea class="mono" rows={rowsOf(edited.value)} value={edited.value} onInput={(e) => { edited.value = e.currentTarget.value; }} spellcheck={false} /></label>
        <Button onClick={() => { edited.value = null; }}>Cancel</Button>
        <Button kind="primary" onClick={save} label={`Save ${name}`}>Save</Button>
      </li>
    );
  }
  return (
    <li>
      <code class="label">{name}</code>
      <code class="grow value">{seen.value ? <bdi>{signs(value)}</bdi> : "••••••••"}</code>
      <span class="acts">
        <Button kind="quiet" onClick={() => { seen.value = !seen.value; }} label={`${seen.value ? "Hide" : "Show"} ${name}`}>{seen.value ? "Hide" : "Show"}</Button>
        <Copy text={value} label={`Copy the value of ${name}`} />
        <Button kind="quiet" onClick={() => { edited.value = value; }} label={`Change ${name}`}>Change</Button>
        <Button kind="quiet" onClick={drop} label={`Unset ${name}`}>Unset</Button>
      </span>
    </li>
  );
}
