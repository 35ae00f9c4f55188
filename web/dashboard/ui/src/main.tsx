// The dashboard: one document, whose page is what its address says.
import { render } from "preact";
import { effect, signal } from "@preact/signals";
import { resume, said, session } from "./api";
import { expected } from "./hint";
import { forget, start } from "./live";
import { go, landing, pathname, query, target, type Target } from "./router";
import { Trouble } from "./kit/Empty";
import { Frame } from "./kit/Frame";
import { App } from "./pages/App";
import { Apps } from "./pages/Apps";
import { Job } from "./pages/Job";
import { Jobs } from "./pages/Jobs";
import { Login } from "./pages/Login";
import { Nodes } from "./pages/Nodes";
import { NotFound } from "./pages/NotFound";
import { Overview } from "./pages/Overview";
import { Settings } from "./pages/Settings";

const pages: Record<Exclude<Target["page"], "login">, () => preact.JSX.Element> = {
  overview: Overview, apps: Apps, app: App, jobs: Jobs, job: Job, nodes: Nodes, settings: Settings, missing: NotFound,
};

const away = signal(""); // why the first question got no answer

async function begin(): Promise<void> {
  try {
    await resume();
    away.value = "";
  } catch (err) {
    away.value = said(err);
    setTimeout(() => void begin(), 1500 + Math.random() * 500);
  }
}

// Who is not signed in sees the sign-in, and comes back to where they were.
effect(() => {
  const { page } = target.value;
  if (session.value === null && page !== "login") {
    forget();
    const back = pathname.peek() + (query.peek().size ? "?" + query.peek() : "");
    go("/login" + (back === "/" ? "" : "?next=" + encodeURIComponent(back)), true);
  }
  if (session.value && page === "login") go(landing(query.peek().get("next")), true);
});

effect(() => {
  const { page, name } = target.value;
  const titles = { login: "Sign in", overview: "Overview", apps: "Apps", app: name, jobs: "Jobs", job: "Job", nodes: "Nodes", settings: "Settings", missing: "Not found" };
  document.title = titles[page] + " · Aorta";
});

function Root() {
  const { page } = target.value;
  if (session.value === undefined && (!expected() || page === "login")) return away.value ? <main class="login"><Trouble text={away.value} /></main> : <main class="login" />;
  if (session.value === null || page === "login") return <Login />;
  const Page = pages[page];
  return <Frame><Page /></Frame>;
}

const box = document.getElementById("app");
if (box) {
  box.textContent = ""; // what stood there until now
  render(<Root />, box);
}
start();
void begin();
