import { useSignal } from "@preact/signals";
import { del, may, path, post } from "../api";
import type { AppDetail, Domain } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Copy } from "../kit/Copy";
import { Confirm } from "../kit/Dialog";
import { Form } from "../kit/Form";
import { Ago } from "../kit/Time";
import { notice } from "../notice";

function kindOf(d: Domain) {
  if (d.own) return "default domain, can't be removed";
  if (d.former) return "default domain until the cluster's domain changed";
  if (d.source) return <>from aorta.yml <Ago at={d.created_at} /></>;
  return <>added <Ago at={d.created_at} /></>;
}

export function AppDomains({ detail }: { detail: AppDetail }) {
  const host = useSignal("");
  const dropping = useSignal<Domain | null>(null);
  const { app } = detail;
  const add = async () => {
    const wanted = host.value.trim();
    await post<Domain>(path("apps", app.name, "domains"), { host: wanted });
    host.value = "";
    notice({ text: `Added ${wanted} to ${app.name}. Point its DNS record at a router.` });
  };
  const drop = async (d: Domain) => {
    await del(path("apps", app.name, "domains", d.host));
    notice({ text: `Removed ${d.host}.` });
  };
  return (
    <Card title="Domains">
      <ul class="rows">
        {(detail.domains ?? []).map((d) => (
          <li key={d.host}>
            <span class="grow"><bdi class="mono name">{d.host}</bdi><br /><span class="muted">{kindOf(d)}</span></span>
            <Copy text={d.host} />
            {!d.own && may("developer") && <Button onClick={() => { dropping.value = d; }} label={`Remove ${d.host}`}>Remove</Button>}
          </li>
        ))}
      </ul>
      {may("developer") && (
        <Form verb="Add" ready={!!host.value.trim()} act={add}>
          <label class="field grow">Host<input class="mono" placeholder="shop.example.com" value={host.value} onInput={(e) => { host.value = e.currentTarget.value; }} autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
        </Form>
      )}
      {dropping.value && (
        <Confirm title={`Remove ${dropping.value.host}`} verb="Remove it" danger act={() => drop(dropping.value!)} onClose={() => { dropping.value = null; }}
          says={<p>Requests for {dropping.value.host} get 404 within a second, and other apps can use the domain. {app.name} stays reachable at its other domains.</p>} />
      )}
    </Card>
  );
}
