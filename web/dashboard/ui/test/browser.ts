// As much of a browser as the modules under test touch. It comes before them.
const page = new EventTarget();
const events = new EventTarget();

export const place = { pathname: "/", search: "", origin: "http://aorta.test" };

// visit is a move of the browser's own: an address, then the event.
export function visit(address: string): void {
  put(address);
  events.dispatchEvent(new Event("popstate"));
}

function put(address: string): void {
  const url = new URL(address, place.origin);
  place.pathname = url.pathname;
  place.search = url.search;
}

// see shows or hides the page.
export function see(seen: boolean): void {
  Object.assign(page, { hidden: !seen });
  page.dispatchEvent(new Event("visibilitychange"));
}

// leave puts the page aside, as a browser does that may come back to it.
export function leave(): void { events.dispatchEvent(new Event("pagehide")); }

// happen is an event of the window.
export function happen(type: string, says: object): void { events.dispatchEvent(Object.assign(new Event(type), says)); }

Object.assign(page, { hidden: false });
const globals: Record<string, unknown> = {
  document: page, location: place, scrollTo() {},
  history: { pushState: (_: unknown, __: string, to: string) => put(to), replaceState: (_: unknown, __: string, to: string) => put(to) },
  addEventListener: events.addEventListener.bind(events), removeEventListener: events.removeEventListener.bind(events),
};
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });

// A clock that ticks for ever must not keep a test from ending.
const every = globalThis.setInterval as unknown as (run: () => void, ms: number) => { unref(): void };
Object.defineProperty(globalThis, "setInterval", { value: (run: () => void, ms: number) => {
  const timer = every(run, ms);
  timer.unref();
  return timer;
} });

// until waits for a condition, ten seconds at most.
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited 10 s for ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}
