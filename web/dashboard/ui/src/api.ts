// Requests to the API. An error is an ApiError with the text of the server's
// problem document, so that pages and command line show the same text.
import { effect, signal } from "@preact/signals";
import { expect } from "./hint";
import type { Session } from "./types";

// Field is a wrong part of a request, by the last part of its place there.
export interface Field { name: string; message: string }

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly fields: Field[] = []) { super(message); }
}

// session is the signed-in user: undefined until known, null for nobody.
export const session = signal<Session | null | undefined>(undefined);

const rank: Record<string, number> = { viewer: 1, developer: 2, admin: 3 };

// may says whether the signed-in user has at least that role.
export function may(role: "viewer" | "developer" | "admin"): boolean {
  return (rank[session.value?.role ?? ""] ?? 0) >= (rank[role] ?? 9);
}

export const base = "/api/v1";

// path builds a URL path of the API from parts, which are escaped.
export function path(...parts: string[]): string {
  return base + "/" + parts.map(encodeURIComponent).join("/");
}

export async function problemOf(answer: Response): Promise<ApiError> {
  const fallback = `the server answered ${answer.status} ${answer.statusText}`;
  try {
    const problem = await answer.json() as Problem;
    return new ApiError(answer.status, spoken(problem) || fallback, fieldsOf(problem));
  } catch {
    return new ApiError(answer.status, fallback);
  }
}

interface Problem { detail?: string; title?: string; errors?: { message: string; location?: string }[] | null }

function fieldsOf({ errors }: Problem): Field[] {
  return (errors ?? []).map(({ message, location }) => ({ name: location?.split(".").at(-1) ?? "", message }));
}

// spoken is a problem document as a sentence: a wrong field goes by the last part
// of its place in the request, and only where the text does not say it already.
export function spoken({ detail, title, errors }: Problem): string {
  const fields = (errors ?? []).filter((e) => e.message).map(({ message, location }) => {
    const name = location?.split(".").at(-1) ?? "";
    if (!name || message.includes(name) || /^["“]/.test(message)) return message;
    return /^(is|holds|has|must|names|can't) /.test(message) ? `${name} ${message}` : `${name}: ${message}`;
  });
  return fields.join("; ") || detail || title || "";
}

async function call<T>(method: string, address: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(address, {
      method, headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin", signal: AbortSignal.timeout(30_000), redirect: "error",
    });
  } catch {
    throw new ApiError(0, "The pacemaker can't be reached; try again once it is back. Apps don't need it to serve.");
  }
  if (!answer.ok) {
    const problem = await problemOf(answer);
    if (answer.status === 401 && session.value) session.value = null; // it has ended
    throw problem;
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const get = <T>(address: string): Promise<T> => call<T>("GET", address);
export const post = <T>(address: string, body?: unknown): Promise<T> => call<T>("POST", address, body);
export const patch = <T>(address: string, body: unknown): Promise<T> => call<T>("PATCH", address, body);
export const del = <T>(address: string): Promise<T> => call<T>("DELETE", address);

const longest = 600; // of an error's text, in characters

// messageOf is an error's text for people.
export function messageOf(err: unknown): string {
  const whole = err instanceof Error ? err.message : String(err);
  const text = whole.length > longest ? whole.slice(0, longest) + " …" : whole;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

effect(() => { if (session.value !== undefined) expect(session.value !== null); });

export async function resume(): Promise<void> {
  try {
    session.value = await get<Session>(path("session"));
  } catch (err) {
    if (err instanceof ApiError && err.status === 401) session.value = null;
    else throw err;
  }
}

export async function signIn(token: string): Promise<void> {
  session.value = await post<Session>(path("session"), { token });
}

export async function signOut(): Promise<void> {
  await del(path("session"));
  session.value = null;
}
