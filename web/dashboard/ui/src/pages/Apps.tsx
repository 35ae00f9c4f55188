import { computed, useSignal } from "@preact/signals";
import { may, path, post } from "../api";
import { count } from "../format";
import { apps, overview } from "../live";
import { appAddress, ask, go, query } from "../router";
import type { App, AppRow } from "../types";
import { AppTable } from "../kit/AppTable";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Confirm } from "../kit/Dialog";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { NoApps } from "./Overview";

const sorted = computed(() => [...(apps.value?.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1)));

function words(rows: AppRow[]): { state: string; text: string } {
  const of = (state: string) => rows.filter((a) => a.state === state).length;
  const bad = rows.filter((a) => a.severity === "bad").length;
  const warn = rows.filter((a) => a.severity === "warn").length;
  const rest = [[of("deploying"), "deploying"], [of("stopped"), "stopped"], [of("empty"), "not deployed yet"]].filter(([n]) => n).map(([n, w]) => `${n} ${w}`);
  const tail = rest.length ? `, ${rest.join(", ")}` : "";
  if (bad) return { state: "bad", text: `${bad} of ${count(rows.length, "app")} ${bad === 1 ? "is" : "are"} down${tail}.` };
  if (warn) return { state: "warn", text: `${warn} of ${count(rows.length, "app")} ${warn === 1 ? "needs" : "need"} attention${tail}.` };
  const serving = of("serving") + of("running");
  return { state: "ok", text: serving === rows.length ? (serving === 1 ? "The one app is running." : `All ${serving} apps are running.`) : `${serving} of ${count(rows.length, "app")} ${serving === 1 ? "is" : "are"} running${tail}.` };
}

export function Apps() {
  const making = useSignal(false);
  if (!apps.value) return <Skeleton title="Apps" card="All" rows={Math.min(16, overview.value?.apps.total ?? 16)} />;
  const all = sorted.value;
  const q = query.value.get("q") ?? "";
  const rows = all.filter((a) => a.name.includes(q.toLowerCase()) || a.state === q);
  const says = all.length ? words(all) : { state: "empty", text: "No apps yet." };
  return (
    <>
      <Line title="Apps" state={says.state} text={says.text} aside={may("developer") && <Button kind="primary" onClick={() => { making.value = true; }}>New app</Button>} />
      {all.length === 0 ? <Card title="The first app"><NoApps /></Card> : (
        <Card title={q ? `${rows.length} of ${all.length}` : "All"} aside={<input type="search" class="filter" aria-label="Filter by name or state" placeholder="Filter" value={q} onInput={(e) => ask("q", e.currentTarget.value)} />}>
          <AppTable rows={rows} />
          {rows.length === 0 && <p class="muted">No app matches “{q}”.</p>}
        </Card>
      )}
      {making.value && <NewApp onClose={() => { making.value = false; }} />}
      <Foot text="aorta apps" />
    </>
  );
}

function NewApp({ onClose }: { onClose: () => void }) {
  const name = useSignal("");
  const make = async () => {
    const app = await post<App>(path("apps"), { name: name.value });
    go(appAddress(app.name));
  };
  const says = (
    <label class="field">Name
      <input value={name.value} onInput={(e) => { name.value = e.currentTarget.value; }} required maxLength={40} autocomplete="off" autocapitalize="off" spellcheck={false} autofocus />
      <span class="muted">Lower-case letters, digits and hyphens; also used in the app's default domain</span>
    </label>
  );
  return <Confirm title="New app" says={says} verb="Create it" act={make} onClose={onClose} />;
}
