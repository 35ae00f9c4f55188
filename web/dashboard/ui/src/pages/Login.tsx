import { useSignal } from "@preact/signals";
import { messageOf, signIn } from "../api";
import { Command } from "../kit/Copy";
import { query } from "../router";

// refusals are why a link to sign in led here instead.
const refusals: Record<string, string> = {
  link: "This link was used already or has expired. Make another one, or sign in with a token.",
  often: "Too many wrong sign-ins came from this address. Try again in a minute.",
  elsewhere: "A link on a page of another site can't sign you in. Copy it into the address bar.",
  failure: "The link could not be checked. Make another one in a moment.",
};

// Login asks for a token. The page that follows is that of the address.
export function Login() {
  const token = useSignal("");
  const error = useSignal(refusals[query.value.get("refused") ?? ""] ?? "");
  const busy = useSignal(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    busy.value = true;
    error.value = "";
    try {
      await signIn(token.value.trim());
      token.value = "";
    } catch (err) {
      error.value = messageOf(err);
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="login" id="main">
      <form class="card" onSubmit={submit}>
        <h1>Sign in to Aorta</h1>
        <input type="text" name="username" autocomplete="username" value="aorta" hidden readOnly />
        <label class="field">Token
          <input type="password" name="token" autocomplete="current-password" required autofocus value={token.value}
            aria-invalid={error.value ? "true" : undefined} aria-describedby="login-error" onInput={(e) => { token.value = e.currentTarget.value; }} />
        </label>
        <p id="login-error" class="bad" role="alert">{error.value}</p>
        <button type="submit" class="button primary" disabled={busy.value || !token.value.trim()}>Sign in</button>
        <p class="muted">Where the command line is signed in, this opens a browser that is too:</p>
        <Command text="aorta dashboard" />
        <p class="muted">The first token is in the file <code>admin.token</code> of the daemon's data directory; <code>make up</code> says where that is.</p>
      </form>
    </main>
  );
}
