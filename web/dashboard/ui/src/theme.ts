// Dark, light, or the system's setting.
import { signal } from "@preact/signals";
import { apply, keep, stored, type Theme } from "./theme-stored";

export const theme = signal<Theme>(stored());

// looks changes with the colours, to redraw what uses them.
export const looks = signal(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { looks.value++; });

export function choose(t: Theme): void {
  keep(t);
  apply(t);
  theme.value = t;
  looks.value++;
}
