import { session } from "../api";
import { hello } from "../live";
import { choose, theme } from "../theme";
import type { Theme } from "../theme-stored";
import { Card } from "../kit/Card";
import { Copy, Foot } from "../kit/Copy";
import { Line } from "../kit/Line";
import { Sessions } from "../kit/Sessions";

// Settings has what is the user's own: name, appearance, sessions.
export function Settings() {
  const who = session.value;
  const h = hello.value;
  return (
    <>
      <Line title="Settings" state={who ? "ok" : "waiting"} word="" text={who ? `Signed in as ${who.user}, with the role ${who.role}.` : "Loading …"} />
      <Card title="Appearance">
        <label class="field short">Colours
          <select value={theme.value} onChange={(e) => choose(e.currentTarget.value as Theme)}>
            <option value="system">system default</option><option value="dark">dark</option><option value="light">light</option>
          </select>
        </label>
      </Card>
      <Card title="Cluster">
        <dl class="facts">
          <div><dt>Id</dt><dd class="mono">{h ? <>{h.cluster} <Copy text={h.cluster} /></> : "–"}</dd></div>
          <div><dt>Version</dt><dd class="mono">{h?.version ?? "–"}</dd></div>
          <div><dt>API</dt><dd><a href="/api/docs" target="_blank" rel="noreferrer noopener">its documentation</a></dd></div>
        </dl>
      </Card>
      <Card title="Where you are signed in"><Sessions /></Card>
      <Foot text="aorta whoami" />
    </>
  );
}
