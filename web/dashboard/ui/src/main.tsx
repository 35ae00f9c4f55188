// The dashboard: one document that shows the page of its URL.
import { render } from "preact";
import { effect, signal } from "@preact/signals";
import { resume, messageOf, session } from "./api";
import { expected } from "./hint";
import { forget, start } from "./live";
import { go, landing, pathname, query, target, titleOf, type PageName } from "./router";
import { Trouble } from "./kit/Empty";
import { Frame } from "./kit/Frame";
import { App } from "./pages/App";
import { Apps } from "./pages/Apps";
import { Job } from "./pages/Job";
import { Jobs } from "./pages/Jobs";
import { Login } from "./pages/Login";
import { Node } from "./pages/Node";
import { Nodes } from "./pages/Nodes";
import { NotFound } from "./pages/NotFound";
import { Overview } from "./pages/Overview";
import { Settings } from "./pages/Settings";

const pages: Record<Exclude<PageName, "login">, () => preact.JSX.Element> = {
  overview: Overview, apps: Apps, app: App, jobs: Jobs, job: Job, node: Node, nodes: Nodes, settings: Settings, missing: NotFound,
};

const away = signal(""); // why the first request failed

async function begin(): Promise<void> {
  try {
    await resume();
    away.value = "";
  } catch (err) {
    away.value = messageOf(err);
    setTimeout(() => void begin(), 1500 + Math.random() * 500);
  }
}

// Users who are not signed in see the sign-in and return to the page afterwards.
effect(() => {
  const { page } = target.value;
  if (session.value === null && page !== "login") {
    forget();
    const back = pathname.peek() + (query.peek().size ? "?" + query.peek() : "");
    go("/login" + (back === "/" ? "" : "?next=" + encodeURIComponent(back)), true);
  }
  if (session.value && page === "login") go(landing(query.peek().get("next")), true);
});

effect(() => { document.title = titleOf(target.value) + " · Aorta"; });

function Root() {
  const { page } = target.value;
  if (session.value === undefined && (!expected() || page === "login")) return away.value ? <main class="login"><Trouble text={away.value} /></main> : <main class="login" />;
  if (session.value === null || page === "login") return <Login />;
  const Page = pages[page];
  return <Frame><Page /></Frame>;
}

const box = document.getElementById("app");
if (box) {
  box.textContent = ""; // the placeholder
  render(<Root />, box);
}
start();
void begin();
