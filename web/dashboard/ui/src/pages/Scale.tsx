import { useSignal } from "@preact/signals";
import { may, patch, path } from "../api";
import { bytes, count, names } from "../format";
import type { Accepted, AppDetail, Process } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Confirm } from "../kit/Dialog";
import { started } from "../notice";
import { Restart } from "./Restart";

const most = 1000; // limit of the field; the API has its own

// Scale shows the process types and their quantities.
export function Scale({ detail }: { detail: AppDetail }) {
  const wanted = useSignal<Record<string, number>>({});
  const last = useSignal(""); // the type that was changed last, which has the buttons
  const asking = useSignal(false);
  const restarting = useSignal(false);
  const { app } = detail;
  const list = detail.formation ?? [];
  const changes = list.filter((p) => (wanted.value[p.type] ?? p.quantity) !== p.quantity);
  const at = changes.some((p) => p.type === last.value) ? last.value : changes.at(-1)?.type;
  const set = (type: string, n: number) => { last.value = type; wanted.value = { ...wanted.value, [type]: Math.min(most, Math.max(0, Math.trunc(n) || 0)) }; };
  const apply = async () => {
    const types = Object.fromEntries(changes.map((p) => [p.type, { quantity: wanted.value[p.type] }]));
    started("Scale", await patch<Accepted>(path("apps", app.name, "formation"), { types }));
    wanted.value = {};
  };
  return (
    <Card title="Process types" aside={may("developer") && app.release && <Button onClick={() => { restarting.value = true; }} label={`${app.stopped ? "Start" : "Restart"} all of ${app.name}`}>{app.stopped ? "Start" : "Restart all"}</Button>}>
      <form onSubmit={(e) => e.preventDefault()}><ul class="rows">
        {list.map((p) => (
          <li key={p.type}>
            <span class="grow"><b>{p.type}</b> <code class="muted">{p.command || "the image's command"}</code><br />
              <span class="muted">{p.memory ? bytes(p.memory) : "memory not limited"} · {p.cpus ? `${p.cpus} CPU` : "CPU not limited"} each{tags(p)}{p.set.length > 0 && ` · ${names(p.set)} set by hand`}</span></span>
            {may("developer") ? <Quantity process={p} n={wanted.value[p.type] ?? p.quantity} set={(n) => set(p.type, n)} /> : <b class="num">{p.quantity}</b>}
            {p.type === at && (
              <div class="actions">
                <span class="grow">{changes.map((c) => effect(c, wanted.value[c.type]!)).join(" ")}</span>
                <Button onClick={() => { wanted.value = {}; }}>Cancel</Button>
                <Button kind="primary" submit onClick={() => { if (changes.some((c) => wanted.value[c.type] === 0)) { asking.value = true; return undefined; } return apply(); }}>Apply</Button>
              </div>
            )}
          </li>
        ))}
      </ul></form>
      {restarting.value && <Restart detail={detail} onClose={() => { restarting.value = false; }} />}
      {asking.value && (
        <Confirm title="Scale to none" verb="Scale" act={apply} onClose={() => { asking.value = false; }}
          says={<><p>{changes.map((p) => effect(p, wanted.value[p.type]!)).join(" ")}</p><p>Without an instance of web, requests to the app get 503.</p></>} />
      )}
    </Card>
  );
}

// tags says which nodes it runs on.
function tags(p: Process): string {
  const needs = p.require.length > 0 ? ` · on nodes with ${names(p.require)}` : "";
  return needs + (p.prefer.length > 0 ? ` · rather on nodes with ${names(p.prefer)}` : "");
}

// effect describes what a change will do.
function effect(p: Process, to: number): string {
  const by = to - p.quantity;
  return by > 0 ? `${count(by, `more ${p.type} instance`)} will start.` : `${count(-by, `${p.type} instance`)} will stop once ${by === -1 ? "its" : "their"} traffic is gone.`;
}

function Quantity({ process, n, set }: { process: Process; n: number; set: (n: number) => void }) {
  return (
    <span class="quantity">
      <button type="button" class="button" aria-label={`Fewer ${process.type}`} disabled={n <= 0} onClick={() => set(n - 1)}>−</button>
      <input type="number" inputMode="numeric" min={0} max={most} value={n} aria-label={`How many ${process.type}`} onInput={(e) => set(e.currentTarget.valueAsNumber)} />
      <button type="button" class="button" aria-label={`More ${process.type}`} onClick={() => set(n + 1)}>+</button>
    </span>
  );
}
