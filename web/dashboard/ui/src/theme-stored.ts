// The theme chosen in this browser.
export type Theme = "system" | "dark" | "light";

export function stored(): Theme {
  try {
    const t = localStorage.getItem("theme");
    return t === "dark" || t === "light" ? t : "system";
  } catch {
    return "system"; // storage may be forbidden
  }
}

export function keep(t: Theme): void {
  try {
    localStorage.setItem("theme", t);
  } catch {
    // Then it applies to this page alone.
  }
}

export function apply(t: Theme): void {
  if (t === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = t;
}
