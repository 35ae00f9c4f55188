import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { del, may, patch, path, post } from "../api";
import { count, names } from "../format";
import { appAddress, go } from "../router";
import type { Accepted, App, AppDetail } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Command, Copy } from "../kit/Copy";
import { Confirm } from "../kit/Dialog";
import { Ago } from "../kit/Time";
import { started } from "../notice";
import { Restart, running } from "./Restart";

export function AppSettings({ detail }: { detail: AppDetail }) {
  const { app } = detail;
  return (
    <>
      <Card title="About">
        <dl class="facts">
          <div><dt>URL</dt><dd class="mono">{app.url ? <>{app.url} <Copy text={app.url} /></> : "None: it has no web process."}</dd></div>
          <div><dt>Git</dt><dd class="mono">{app.git_http} <Copy text={app.git_http} /></dd></div>
          <div><dt>Id</dt><dd class="mono">{app.id}</dd></div>
          <div><dt>Created</dt><dd><Ago at={app.created_at} /></dd></div>
        </dl>
      </Card>
      {may("developer") ? <Danger detail={detail} /> : <Card title="Changes"><p>You need the role developer to stop, rename or destroy an app.</p></Card>}
    </>
  );
}

type Asked = "" | "restart" | "stop" | "rename" | "destroy";

function Danger({ detail }: { detail: AppDetail }) {
  const asked = useSignal<Asked>("");
  const { app } = detail;
  const ask = (what: Asked) => () => { asked.value = what; };
  const close = ask("");
  return (
    <Card title="Danger zone" danger>
      <ul class="rows">
        <Choice title={app.stopped ? "Start" : "Restart"} text={app.stopped ? "Starts the app with the same scale as before the stop." : "Replaces all instances without losing a request."}>
          <Button onClick={ask("restart")} disabled={!app.release}>{app.stopped ? "Start" : "Restart"}</Button>
        </Choice>
        {!app.stopped && <Choice title="Stop" text="Stops all instances; requests get 503 until the app is started."><Button kind="danger" onClick={ask("stop")} disabled={!app.release}>Stop</Button></Choice>}
        <Choice title="Rename" text="Its default domain changes with its name; other domains stay."><Button onClick={ask("rename")}>Rename</Button></Choice>
        <Choice title="Destroy" text="Deletes the app with its releases, config, domains and logs for good."><Button kind="danger" onClick={ask("destroy")}>Destroy</Button></Choice>
      </ul>
      {asked.value === "restart" && <Restart detail={detail} onClose={close} />}
      {asked.value === "stop" && <Stop detail={detail} onClose={close} />}
      {asked.value === "rename" && <Rename app={app} onClose={close} />}
      {asked.value === "destroy" && <Destroy detail={detail} onClose={close} />}
    </Card>
  );
}

function Choice({ title, text, children }: { title: string; text: string; children: ComponentChildren }) {
  return <li><span class="grow"><b>{title}</b><br /><span class="muted">{text}</span></span>{children}</li>;
}

interface Part { detail: AppDetail; onClose: () => void }

function Stop({ detail, onClose }: Part) {
  const { app } = detail;
  const act = async () => started("Stop", await post<Accepted>(path("apps", app.name, "stop")));
  const says = (
    <>
      <p>Stops {running(detail)}. Requests to {count(app.hosts?.length ?? 0, "domain")} get 503.</p>
      <p>Start it again here, or with <Command text={`aorta ps start -a ${app.name}`} /></p>
    </>
  );
  return <Confirm title={`Stop ${app.name}`} says={says} verb="Stop it" danger act={act} onClose={onClose} />;
}

function Rename({ app, onClose }: { app: App; onClose: () => void }) {
  const name = useSignal(app.name);
  const act = async () => {
    const renamed = await patch<App>(path("apps", app.name), { name: name.value.trim(), version: app.version });
    go(appAddress(renamed.name, "settings"), true);
  };
  const says = (
    <>
      <p>Its default domain and its git URL change at once. The old ones answer 404.</p>
      <label class="field">New name<input value={name.value} onInput={(e) => { name.value = e.currentTarget.value; }} autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
    </>
  );
  return <Confirm title={`Rename ${app.name}`} says={says} verb="Rename it" act={act} onClose={onClose} />;
}

function Destroy({ detail, onClose }: Part) {
  const { app } = detail;
  const act = async () => {
    started(`Destroy ${app.name}`, await del<Accepted>(path("apps", app.name) + "?confirm=" + encodeURIComponent(app.name)));
    go("/apps", true);
  };
  const hosts = app.hosts ?? [];
  const says = (
    <>
      <p>This can't be undone. It deletes:</p>
      <ul>
        <li>{running(detail)}</li>
        <li>{hosts.length > 3 ? `${hosts.slice(0, 3).join(", ")} and ${hosts.length - 3} more domains` : names(hosts) || "no domain"}: requests get 404</li>
        <li>all releases, config vars and logs, and the git repository</li>
      </ul>
    </>
  );
  return <Confirm title={`Destroy ${app.name}`} says={says} verb="Destroy it" danger name={app.name} act={act} onClose={onClose} />;
}
