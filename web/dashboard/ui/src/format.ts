// Numbers and times as text.

export const dash = "–";

// rate is requests a second: 0.4, 12, 3.4 k.
export function rate(n: number | null | undefined): string {
  return n === null || n === undefined ? dash : short(n);
}

function short(n: number): string {
  if (n === 0) return "0";
  if (n < 10) return n.toFixed(1);
  if (n < 1000) return Math.round(n).toString();
  if (n < 1e6) return trim(n / 1000) + " k";
  return trim(n / 1e6) + " M";
}

const trim = (n: number) => (n < 10 ? n.toFixed(1) : Math.round(n).toString());

export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return dash;
  if (ratio === 0) return "0 %";
  const p = ratio * 100;
  if (p < 0.01) return "< 0.01 %";
  return (p < 1 ? p.toFixed(2) : p < 10 ? p.toFixed(1) : Math.round(p).toString()) + " %";
}

export function millis(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return dash;
  if (ms < 10) return (ms === 0 ? "0" : ms.toFixed(1)) + " ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  if (ms < 59_950) return (ms / 1000).toFixed(1) + " s";
  const s = Math.round(ms / 1000);
  return `${Math.floor(s / 60)} min ${s % 60} s`;
}

// took is a measured time, of which tenths of a millisecond are kept.
export function took(ms: number | null | undefined): string {
  return typeof ms === "number" && ms < 0.1 ? "< 0.1 ms" : millis(ms);
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return dash;
  const units = ["B", "KB", "MB", "GB", "TB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return digits(n, i > 0) + " " + units[i];
}

// digits shows a fraction below 100, where it says something: 1.5, 23.5, 512.
function digits(n: number, fraction: boolean): string {
  return fraction && n < 99.95 ? n.toFixed(1).replace(/\.0$/, "") : Math.round(n).toString();
}

// cores is processor time a second, in CPUs: < 0.01, 0.25, 2.
export function cores(n: number): string {
  if (n === 0) return "0";
  return n < 0.01 ? "< 0.01" : Number(n.toFixed(2)).toString();
}

// volume is bytes sent over the network, in powers of 1000.
export function volume(n: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return digits(n, i > 0) + " " + units[i];
}

// span is a duration, in at most two units.
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 10) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d`;
}

// age is a duration in one unit.
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export const clock = (t: Date): string => t.toLocaleTimeString(undefined, { hour12: false });

// moment is a time of day to the millisecond, in the local time zone.
export function moment(t: string): string {
  const d = new Date(t);
  const two = (n: number) => String(n).padStart(2, "0");
  return isNaN(d.getTime()) ? "" : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

export function exact(t: string): string {
  const d = new Date(t);
  return isNaN(d.getTime()) ? t : d.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
}

export function count(n: number, one: string, many = one + "s"): string {
  return `${n} ${n === 1 ? one : many}`;
}

// names joins names as people speak: a, b and c.
export const names = (list: string[]): string => (list.length < 2 ? list.join() : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`);

// brief is the short form of an id, its end; the command line shows the same.
export const brief = (id: string): string => (id.length > 8 ? id.slice(-8) : id);

// signs replaces control characters, except line ends and tabs, by visible
// symbols.
export function signs(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) => String.fromCharCode(c === "\x7f" ? 0x2421 : 0x2400 + c.charCodeAt(0)));
}

const browsers: [RegExp, string][] = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]];
const systems: [RegExp, string][] = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux|X11/, "Linux"]];

// browser shortens a User-Agent to browser and system; unknown ones stay.
export function browser(agent: string): string {
  const which = browsers.find(([form]) => form.test(agent))?.[1];
  const where = systems.find(([form]) => form.test(agent))?.[1];
  if (!which) return agent.slice(0, 60) || "unknown browser";
  return where ? `${which} on ${where}` : which;
}

// quoted quotes a word for a shell.
export function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replace(/[\x00-\x1f\x7f]/g, " ").replaceAll("'", "'\\''")}'`;
}

// badness is how bad a share of errors is, as in an app's verdict (pacemaker/overview/answers.go).
export const badness = (ratio: number | null | undefined) => ((ratio ?? 0) > 0.5 ? "bad" : (ratio ?? 0) >= 0.05 ? "warn" : "");
