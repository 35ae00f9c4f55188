// Dark, light, or what the system says.
import { signal } from "@preact/signals";
import { apply, keep, stored, type Theme } from "./theme-stored";

export const theme = signal<Theme>(stored());

// looks counts changes of the colours, for what is drawn with them.
export const looks = signal(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { looks.value++; });

export function choose(t: Theme): void {
  keep(t);
  apply(t);
  theme.value = t;
  looks.value++;
}
