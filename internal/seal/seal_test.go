package seal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, path string, create bool) *Sealer {
	t.Helper()
	s, err := Open(path, create)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealer_OpensWhatItSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.key")
	first := open(t, path, true)
	for _, plain := range []string{"", "secret", "zwei\nZeilen\x00", strings.Repeat("x", 100_000)} {
		sealed := first.Seal(plain)

		got, err := open(t, path, false).Unseal(sealed)

		if err != nil || got != plain || plain != "" && strings.Contains(sealed, plain) {
			t.Errorf("got %.40q, %v, want %.40q by the key from the file", got, err, plain)
		}
		if again := first.Seal(plain); again == sealed {
			t.Errorf("%.40q: got the same text sealed twice, which shows that two values are equal", plain)
		}
	}
}

// A database of an earlier version goes on.
func TestUnseal_OpensWhatEarlierVersionsSealed(t *testing.T) {
	const (
		key    = "AGE-SECRET-KEY-16SRPN6XJWWYZF9EGFR9QDK4PYML3V08JP46TW6VTQ0E05PGFQR3QA9H8TU"
		sealed = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBGRWtmbVRPTEdvTGtwWVQwMXp3TTBvMWdiSGdtcWxiVHVrSkV3aDZTMlJvCjU5WDY4ZUtIZ3hzTlNKMWdSclNMaklRazhNN1N0TVJESGNvUklFWTlPVXcKLS0tIEFLOWJKNTd5RlJPeXpWWTJTZGVXSW0zNmxNNjNWVkVMQXVtVmFiY3B5RHMKyOOrhUTPI8hrhsxuFGauuLsDUqNaLsXvhLi1GrSOV3FNoCwHSgGQ"
	)
	path := filepath.Join(t.TempDir(), "config.key")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	got, err := open(t, path, false).Unseal(sealed)

	if err != nil || got != "hunter2" {
		t.Errorf("got %q, %v, want the text", got, err)
	}
}

func TestOpen_KeepsItsKeyToItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.key")
	open(t, path, true)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	open(t, path, true)

	after, _ := os.ReadFile(path)
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 || string(after) != string(before) {
		t.Errorf("got mode %v, the key changed: %t, %v; want 0600 and one key for ever", st.Mode(), string(after) != string(before), err)
	}
}

func TestOpen_MakesNoKeyForOldData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.key")

	_, missing := Open(path, false)
	if err := os.WriteFile(path, []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, broken := Open(path, true)

	for _, err := range []error{missing, broken} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	}
	if raw, _ := os.ReadFile(path); string(raw) != "not a key\n" {
		t.Errorf("got the file changed to %q, want it left as it was", raw)
	}
}

func TestUnseal_RefusesWhatIsNotItsOwn(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := open(t, filepath.Join(dir, "a"), true), open(t, filepath.Join(dir, "b"), true)
	sealed := mine.Seal("secret")
	changed := []byte(sealed)
	changed[len(changed)-2] ^= 1

	_, foreign := theirs.Unseal(sealed)
	_, spoilt := mine.Unseal(string(changed))
	_, torn := mine.Unseal(sealed[:len(sealed)/2])
	_, text := mine.Unseal("%%%")

	for name, err := range map[string]error{"another key": foreign, "changed": spoilt, "torn": torn, "no base64": text} {
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want an error", name, err)
		}
	}
}
