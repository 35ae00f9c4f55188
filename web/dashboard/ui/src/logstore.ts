// One app's live log.
import { signal } from "@preact/signals";
import { brief } from "./format";
import { widthOf } from "./kit/rows";
import { unpressed } from "./press";
import { topicOf, type Tail } from "./tail";
import type { Gone, LogLine } from "./types";

const most = 10_000; // lines kept in the page
const settle = 300;  // ms after which a log without lines counts as empty
const search = 3000; // the same for a search, which takes the server longer

// Shown is a line of output as a page shows it.
export interface Shown {
  key: number;
  time: string;
  from: string;
  text: string;
  width: number;     // of the text, in columns
  stream?: string;
  more?: string;     // where it is from, in detail
  release?: string;
  instance?: string; // id
  missed?: number;   // a placeholder for this many skipped lines
}

function shown(key: number, l: LogLine): Shown {
  return {
    key, time: l.time, from: `${l.type} ${brief(l.instance)}`, text: l.text, width: widthOf(l.text), stream: l.stream, more: `${l.release} on ${l.node}`,
    release: l.release, instance: l.instance,
  };
}

export class LogStore implements Tail {
  readonly lines = signal<Shown[]>([]);
  readonly state = signal<"opening" | "open" | "cut">("opening");
  readonly gone = signal(""); // why there is nothing to follow
  readonly paused = signal(false);
  private held: Shown[] = [];
  private count = 0;
  private seen = "";
  private timer = 0;
  private opening = 0;

  constructor(readonly key: string) {}

  topic(): string { return this.gone.value ? "" : topicOf(this.key, this.seen); }

  receive(event: string, data: unknown, id: string): void {
    if (event === "gone") {
      this.gone.value = (data as Gone).text ?? "";
      return;
    }
    this.seen = id;
    const key = ++this.count;
    if (event === "line") this.held.push(shown(key, data as LogLine));
    else this.held.push({ key, time: "", from: "", text: "", width: 60, missed: (data as { n: number }).n });
    if (this.held.length > most) this.held.splice(0, this.held.length - most);
    this.timer ||= setTimeout(() => unpressed(() => this.show()), 50) as unknown as number;
  }

  // hello: the stream is open. If no line comes for a moment, the log is empty.
  hello(): void {
    clearTimeout(this.opening);
    const after = this.key.includes("search=") ? search : settle;
    this.opening = setTimeout(() => { this.state.value = "open"; }, after) as unknown as number;
  }

  cut(): void {
    clearTimeout(this.opening);
    this.state.value = "cut";
  }

  close(): void {
    clearTimeout(this.opening);
    clearTimeout(this.timer);
  }

  pause(on: boolean): void {
    this.paused.value = on;
    if (!on) this.show();
  }

  private show(): void {
    this.timer = 0;
    if (this.paused.value || this.held.length === 0) return;
    this.lines.value = [...this.lines.value, ...this.held.splice(0)].slice(-most);
  }
}
