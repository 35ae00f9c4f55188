import { path, post } from "../api";
import { count, names } from "../format";
import type { Accepted, AppDetail } from "../types";
import { Confirm } from "../kit/Dialog";
import { started } from "../notice";

// running names the running instances of an app, and where they are.
export function running({ instances }: AppDetail): string {
  const list = (instances ?? []).filter((i) => i.state !== "stopped" && i.state !== "failed");
  const nodes = [...new Set(list.map((i) => i.node))].filter(Boolean).sort();
  return list.length === 0 ? "no running instances" : `${count(list.length, "instance")} on ${names(nodes)}`;
}

// Restart asks before all instances are replaced, or a stopped app is started.
export function Restart({ detail, onClose }: { detail: AppDetail; onClose: () => void }) {
  const { app } = detail;
  const verb = app.stopped ? "Start" : "Restart";
  const act = async () => started(verb, await post<Accepted>(path("apps", app.name, "restart"), {}));
  const says = app.stopped ? <p>Starts {app.release} with the same scale as before the stop.</p>
    : <p>Replaces {running(detail)} by new ones of {app.release}. Each old one is stopped after its traffic has moved.</p>;
  return <Confirm title={`${verb} ${app.name}`} says={says} verb={verb} act={act} onClose={onClose} />;
}
