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

export interface Timers {
  ms: number;        // how long they run
  begun(): number;
  running(): number;
  pass(): void;      // the time of all that run
}

// hold takes the timers of one length from the clock: they end when the test says.
export function hold(ms: number): Timers {
  const running = new Map<unknown, () => void>();
  let begun = 0;
  const set = globalThis.setTimeout as unknown as (run: () => void, after: number) => unknown;
  const clear = globalThis.clearTimeout as unknown as (id: unknown) => void;
  const begin = (run: () => void, after: number): unknown => {
    if (after !== ms) return set(run, after);
    running.set(`held ${++begun}`, run);
    return `held ${begun}`;
  };
  Object.defineProperty(globalThis, "setTimeout", { value: begin, configurable: true });
  Object.defineProperty(globalThis, "clearTimeout", { value: (id: unknown) => { if (!running.delete(id)) clear(id); }, configurable: true });
  const pass = () => {
    const all = [...running.values()];
    running.clear();
    for (const run of all) run();
  };
  return { ms, begun: () => begun, running: () => running.size, pass };
}

// until waits for a condition. A wait that is longer than two minutes has hung, on
// the slowest machine: whoever runs the tests ends them after three.
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 120_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited 2 min for ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}
