package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"gorm.io/gorm"

	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// childEnv turns the test program into another process on the same database.
const childEnv = "AORTA_STORE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir))
	}
	// gorm's cache of prepared statements has no end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// child opens the database, creates apps, many at a time and without end, tells
// each that was acknowledged, and stays until it is killed.
func child(dir string) int {
	ctx := context.Background()
	sealer, err := seal.Open(filepath.Join(dir, "key"), false)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	s, err := Open(ctx, Config{Dir: dir, Sealer: sealer, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println("open")
	acked := make(chan string)
	for i := range 100 {
		go func() { // ends with the process
			for n := 0; ; n++ {
				name := fmt.Sprintf("app%d-%d", i, n)
				if _, err := s.CreateApp(ctx, name, name+".test.local", "admin"); err == nil {
					acked <- name
				}
			}
		}()
	}
	for name := range acked {
		fmt.Println(name)
	}
	return 0
}

// startChild runs the program again on dir; prepare may change the command.
func startChild(t *testing.T, dir string, prepare func(*exec.Cmd)) (cmd *exec.Cmd, out *bufio.Scanner, gone <-chan struct{}) {
	t.Helper()
	r, w, err := os.Pipe()
	testkit.Must(t, err)
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stdout = w
	if prepare != nil {
		prepare(cmd)
	}
	gone = testkit.StartChild(t, cmd)
	testkit.Must(t, w.Close())
	t.Cleanup(func() { _ = r.Close() })
	return cmd, bufio.NewScanner(r), gone
}

// bootstrapped is a directory with a closed database in it.
func bootstrapped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	testkit.Must(t, openStoreIn(t, dir).Close())
	return dir
}

func tryOpen(t *testing.T, dir string) (*Store, error) {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func TestOpen_RefusesASecondAndNamesTheFirst(t *testing.T) {
	t.Parallel()
	dir := bootstrapped(t)
	cmd, out, gone := startChild(t, dir, nil)
	if !out.Scan() || out.Text() != "open" {
		t.Fatalf("got %q, want the first one open", out.Text())
	}

	_, err := tryOpen(t, dir)

	host, _ := os.Hostname()
	for _, want := range []string{host, fmt.Sprintf("process %d", cmd.Process.Pid), "aortad stop"} {
		if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a conflict that names %s", err, want)
		}
	}
	_ = cmd.Process.Kill()
	<-gone
	if _, err := tryOpen(t, dir); err != nil {
		t.Errorf("after the first was killed: got %v, want it open", err)
	}
}

func TestOpen_KeepsWhatAKilledWriterAcknowledged(t *testing.T) {
	t.Parallel()
	dir := bootstrapped(t)
	cmd, out, gone := startChild(t, dir, nil)
	var acked []string
	for out.Scan() {
		if out.Text() != "open" {
			acked = append(acked, out.Text())
		}
		if len(acked) == 300 {
			_ = cmd.Process.Kill() // in the middle: it goes on without end
		}
	}
	<-gone

	s, err := tryOpen(t, dir)
	testkit.Must(t, err)

	apps, err := s.Apps(t.Context(), "", -1)
	testkit.Must(t, err)
	have := map[string]bool{}
	for _, a := range apps {
		have[a.Name] = true
	}
	for _, name := range acked {
		if !have[name] {
			t.Errorf("%s was acknowledged and is gone", name)
		}
	}
	if len(acked) < 300 {
		t.Errorf("got %d acknowledged, want it killed after 300", len(acked))
	}
}

func TestOpen_RefusesADamagedFile(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, f *os.File, size int64){
		"a page": func(t *testing.T, f *os.File, size int64) {
			for page := int64(2); page*4096 < size; page++ {
				_, err := f.WriteAt([]byte(strings.Repeat("\xde\xad", 512)), page*4096+16)
				testkit.Must(t, err)
			}
		},
		"the header": func(t *testing.T, f *os.File, _ int64) {
			_, err := f.WriteAt([]byte("this is no database, it is a note"), 0)
			testkit.Must(t, err)
		},
		"the second half": func(t *testing.T, f *os.File, size int64) { testkit.Must(t, f.Truncate(size/2/4096*4096)) },
	} {
		dir := bootstrapped(t)
		path := filepath.Join(dir, "aorta.db")
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		testkit.Must(t, err)
		st, err := f.Stat()
		testkit.Must(t, err)
		damage(t, f, st.Size())
		testkit.Must(t, f.Close())

		_, err = tryOpen(t, dir)

		for _, want := range []string{path, "integrity check", "backup", "sqlite3 " + path + " .recover", "not touched"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want a refusal with %q", name, err, want)
			}
		}
	}
}

func TestOpen_RefusesANewerSchema(t *testing.T) {
	t.Parallel()
	dir := bootstrapped(t)
	path := filepath.Join(dir, "aorta.db")
	db, err := sql.Open("sqlite", path)
	testkit.Must(t, err)
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (90001, 1)`)
	testkit.Must(t, err)
	testkit.Must(t, db.Close())

	_, err = tryOpen(t, dir)

	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "90001") || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v, want a refusal with the file and both versions", err)
	}
}

// TestOpen_SaysWhenItMayNotWrite runs a child as nobody: root may write
// everywhere.
func TestOpen_SaysWhenItMayNotWrite(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("this test needs root, to become somebody else")
	}
	program, err := os.ReadFile(os.Args[0])
	testkit.Must(t, err)
	for name, c := range map[string]struct {
		dir  os.FileMode
		lock os.FileMode
		want string
	}{
		"the directory": {0o555, 0o400, "aorta.db.lock"},
		"the file":      {0o777, 0o666, "aorta.db"},
	} {
		dir := testkit.ShortDir(t)
		testkit.Must(t, openStoreIn(t, dir).Close())
		testkit.Must(t, os.WriteFile(filepath.Join(dir, "program"), program, 0o755))
		testkit.Must(t, os.Chmod(filepath.Join(dir, "key"), 0o444))
		testkit.Must(t, os.Chmod(filepath.Join(dir, "aorta.db"), 0o444))
		testkit.Must(t, os.Chmod(filepath.Join(dir, "aorta.db.lock"), c.lock))
		testkit.Must(t, os.Chmod(dir, c.dir))

		cmd, out, gone := startChild(t, dir, func(cmd *exec.Cmd) {
			cmd.Path = filepath.Join(dir, "program")
			cmd.Dir = dir
			cmd.Env = []string{childEnv + "=" + dir, "HOME=/nonexistent"}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		})
		out.Scan()
		_ = cmd.Process.Kill()
		<-gone

		if got := out.Text(); !strings.HasPrefix(got, "error:") || !strings.Contains(got, filepath.Join(dir, c.want)) {
			t.Errorf("%s: got %q, want an error that names %s", name, got, c.want)
		}
	}
}

func TestWriter_OneFailureTakesNothingOfItsNeighbours(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	hold, begun := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.Begin(context.Background(), cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpPrune}, func(*Store, *gorm.DB, cluster.Operation) error {
			close(begun)
			<-hold
			return nil
		})
	}()
	<-begun
	errs := make(chan error, 60)
	for i := range 60 {
		go func() { errs <- s.Begin(context.Background(), numbered(i), spoilt(i)) }()
	}
	close(hold)

	failed := 0
	for range 60 {
		if <-errs != nil {
			failed++
		}
	}

	list, err := s.Operations(t.Context(), OperationQuery{Limit: 100})
	testkit.Must(t, err)
	seen := 0
	for _, op := range list {
		if op.Kind == cluster.OpPrune {
			continue
		}
		seen++
		if strings.HasPrefix(op.Title, "bad") {
			t.Errorf("got %q kept, want it taken back", op.Title)
		}
	}
	if failed != 36 || seen != 24 {
		t.Errorf("got %d failed and %d kept, want 36 and 24", failed, seen)
	}
}

// numbered is one write; three of five are spoilt after their first row.
func numbered(i int) cluster.Operation {
	title := "good"
	if i%5 < 3 {
		title = "bad"
	}
	return cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpRetire, Title: fmt.Sprint(title, i)}
}

func spoilt(i int) Part {
	return func(_ *Store, tx *gorm.DB, _ cluster.Operation) error {
		switch i % 5 {
		case 0:
			return errors.New("no")
		case 1:
			panic("a bug")
		case 2: // breaks a rule of the schema
			return tx.Create(&trafficRow{AppID: "none", ReleaseID: "none", Weight: -1}).Error
		}
		return nil
	}
}

func TestStore_AnswersWhenClosed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	testkit.Must(t, s.Close())

	_, err := s.CreateApp(t.Context(), "shop", "shop.test.local", "admin")

	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("got a ping answered, want an error")
	}
}
