// How the first release of an app comes about, with nothing else to know.
import type { ComponentChildren } from "preact";
import { quoted } from "../format";
import type { App } from "../types";
import { Command } from "./Copy";

export function FirstPush({ app }: { app: App }) {
  const server = app.git_http.replace(/\/git\/[^/]*$/, "");
  return (
    <div class="empty">
      <p class="lead">Deploy it for the first time.</p>
      <p>In the app's git repository, which has a Dockerfile:</p>
      <ol class="recipe">
        <Step commands={[`aorta login ${quoted(server)} --token -`]}>Sign in, if this machine is not: type your token, then Enter.</Step>
        <Step commands={[`aorta git:remote -a ${app.name}`]}>Add the git remote <code>aorta</code>, which signs in by itself.</Step>
        <Step commands={["git push aorta main"]}>Push. The output is that of the build.</Step>
      </ol>
      <p class="muted">Without the command line, git asks for a user name (any) and a password (your token):</p>
      <Command text={`git push ${quoted(app.git_http)} main`} />
      <p class="muted">A folder that is no repository:</p>
      <Command text={`aorta deploy -a ${app.name}`} />
    </div>
  );
}

function Step({ children, commands }: { children: ComponentChildren; commands: string[] }) {
  return <li><p>{children}</p>{commands.map((c) => <Command key={c} text={c} />)}</li>;
}
