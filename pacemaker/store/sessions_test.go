package store

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store/sqlite"
)

// clocked is a store whose clock the test moves.
type clocked struct {
	*Store
	tb  testing.TB
	now time.Time
}

func openClocked(tb testing.TB) *clocked {
	tb.Helper()
	dir := tb.TempDir()
	sealer, err := seal.Open(filepath.Join(dir, "key"), true)
	testkit.Must(tb, err)
	c := &clocked{tb: tb, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	seed(tb, dir)
	c.Store, err = Open(tb.Context(), Config{Dir: dir, Sealer: sealer, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return c.now }})
	testkit.Must(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func (c *clocked) start(token string) (Session, string) {
	c.tb.Helper()
	made, cookie, err := c.StartSession(c.tb.Context(), NewSession{TokenHash: HashToken(token), Agent: "browser", Address: "192.0.2.1"})
	testkit.Must(c.tb, err)
	return made, cookie
}

// rows is how many sessions are kept, good or not.
func (c *clocked) rows() (n int64) {
	c.tb.Helper()
	testkit.Must(c.tb, c.read.Table("sessions").Count(&n).Error)
	return n
}

func (c *clocked) exec(query string, args ...any) {
	c.tb.Helper()
	testkit.Must(c.tb, c.writer.db.Exec(query, args...).Error)
}

func TestSessions_LiveTwelveHoursUnusedAndSevenDaysInAll(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	made, cookie := c.start("token")
	begun := c.now

	c.now = begun.Add(SessionIdle - 1)
	late, err := c.SessionByCookie(t.Context(), cookie)
	testkit.Must(t, err)
	for at := begun; at.Before(begun.Add(SessionLife)); at = at.Add(11 * time.Hour) {
		c.now = at
		testkit.Must(t, c.TouchSession(t.Context(), made.ID))
	}
	c.now = begun.Add(SessionLife - 1)
	last, err := c.SessionByCookie(t.Context(), cookie)
	testkit.Must(t, err)
	c.now = begun.Add(SessionLife)
	_, over := c.SessionByCookie(t.Context(), cookie)
	_, idle := c.start("token")
	c.now = c.now.Add(SessionIdle)
	_, unused := c.SessionByCookie(t.Context(), idle)

	if late.ID != made.ID || late.User.Name != "admin" || late.User.Role != "admin" || !late.ExpiresAt.Equal(begun.Add(SessionIdle)) {
		t.Errorf("got %+v, want the admin's session until it was unused for 12 h", late)
	}
	if !last.ExpiresAt.Equal(begun.Add(SessionLife)) {
		t.Errorf("got the end at %s, want 7 days after %s", last.ExpiresAt, begun)
	}
	for name, err := range map[string]error{"after 7 days": over, "after 12 h unused": unused} {
		if !errors.Is(err, ErrSessionEnded) || cluster.CodeOf(err) != cluster.CodeForbidden {
			t.Errorf("%s: got %v, want it ended", name, err)
		}
	}
}

func TestSessions_EndWithTheirToken(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	end := c.now.Add(time.Hour)
	c.exec(`UPDATE tokens SET expires_at = ?`, end.UnixNano())

	made, cookie := c.start("token")
	c.now = end
	_, expired := c.SessionByCookie(t.Context(), cookie)
	_, _, again := c.StartSession(t.Context(), NewSession{TokenHash: HashToken("token")})
	c.exec(`DELETE FROM users`)

	if !made.ExpiresAt.Equal(end) {
		t.Errorf("got the end at %s, want the token's, %s", made.ExpiresAt, end)
	}
	if !errors.Is(expired, ErrSessionEnded) || !errors.Is(again, ErrBadToken) {
		t.Errorf("got %v and %v, want the session ended and the token refused", expired, again)
	}
	if n := c.rows(); n != 0 {
		t.Errorf("got %d sessions of a user that is gone, want none", n)
	}
}

func TestSessions_KeepNoCookie(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	_, cookie := c.start("token")

	var found int64
	testkit.Must(t, c.read.Table("sessions").Where("hash = ? AND hash <> ?", HashToken(cookie), cookie).Count(&found).Error)

	if found != 1 || len(cookie) < 43 {
		t.Errorf("got %d rows by the hash of a cookie of %d characters, want one of 256 bits", found, len(cookie))
	}
}

func TestSessions_UseIsWrittenAMinuteApart(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	made, cookie := c.start("token")
	seen := func() time.Time {
		testkit.Must(t, c.TouchSession(t.Context(), made.ID))
		s, err := c.SessionByCookie(t.Context(), cookie)
		testkit.Must(t, err)
		return s.SeenAt
	}

	c.now = c.now.Add(SessionSeen - 1)
	early := seen()
	c.now = c.now.Add(1)
	due := seen()

	if !early.Equal(made.SeenAt) || !due.Equal(c.now) {
		t.Errorf("got %s within the minute and %s after it, want %s and %s", early, due, made.SeenAt, c.now)
	}
}

func TestSessions_AreListedAndEndedByTheirOwner(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	c.exec(`INSERT INTO users VALUES ('u1', 'ann', 'developer', 0)`)
	c.exec(`INSERT INTO tokens VALUES ('t1', 'u1', ?, 0, NULL, NULL)`, HashToken("of ann"))
	admins, _ := c.start("token")
	first, _ := c.start("of ann")
	second, _ := c.start("of ann")

	foreign := c.EndSession(t.Context(), first.User, admins.ID)
	list, err := c.Sessions(t.Context(), "u1")
	testkit.Must(t, err)
	testkit.Must(t, c.EndSession(t.Context(), first.User, first.ID))
	twice := c.EndSession(t.Context(), first.User, first.ID)
	testkit.Must(t, c.EndSession(t.Context(), admins.User, second.ID))
	after, err := c.Sessions(t.Context(), "u1")
	testkit.Must(t, err)

	if len(list) != 2 || list[0].ID != first.ID || list[1].ID != second.ID || list[0].Agent != "browser" || list[0].Address != "192.0.2.1" {
		t.Errorf("got %+v, want ann's two, oldest first", list)
	}
	for name, err := range map[string]error{"another's": foreign, "one that has ended": twice} {
		if cluster.CodeOf(err) != cluster.CodeNotFound {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
	if len(after) != 0 || c.rows() != 1 {
		t.Errorf("got %+v of %d rows, want the admin's alone", after, c.rows())
	}
	var notes []string
	testkit.Must(t, c.read.Table("events").Where("action LIKE 'session.%'").Order("id").Pluck("username || ' ' || action", &notes).Error)
	want := "[admin session.start ann session.start ann session.start ann session.end admin session.end]"
	if fmt.Sprint(notes) != want {
		t.Errorf("got the events %v, want %s", notes, want)
	}
}

func TestSessions_AUserHasABoundedNumber(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	first, cookie := c.start("token")
	second, _ := c.start("token")
	c.now = c.now.Add(time.Hour)
	testkit.Must(t, c.TouchSession(t.Context(), first.ID))
	for range sessionsEach - 1 {
		c.start("token")
	}

	list, err := c.Sessions(t.Context(), first.User.ID)
	testkit.Must(t, err)
	replacing, _, err := c.StartSession(t.Context(), NewSession{TokenHash: HashToken("token"), Replaces: cookie})
	testkit.Must(t, err)
	after, err := c.Sessions(t.Context(), first.User.ID)
	testkit.Must(t, err)

	if len(list) != sessionsEach || list[0].ID != first.ID || list[1].ID == second.ID {
		t.Errorf("got %d sessions, first %s; want %d without the one unused for longest, %s", len(list), list[0].ID, sessionsEach, second.ID)
	}
	if len(after) != sessionsEach || after[0].ID == first.ID || after[len(after)-1].ID != replacing.ID {
		t.Errorf("got %d sessions from %s, want the replaced one gone and no other", len(after), after[0].ID)
	}
}

func TestForgetSessions_DropsWhatIsNoLongerGood(t *testing.T) {
	t.Parallel()
	c := openClocked(t)
	c.exec(`INSERT INTO users VALUES ('u1', 'ann', 'developer', 0)`)
	c.exec(`INSERT INTO tokens VALUES ('t1', 'u1', ?, 0, NULL, NULL)`, HashToken("of ann"))
	c.start("token") // will be idle
	used, _ := c.start("token")
	c.now = c.now.Add(SessionIdle - time.Minute)
	testkit.Must(t, c.TouchSession(t.Context(), used.ID))
	c.start("of ann")
	counts := []int64{}
	forget := func(at time.Time) {
		testkit.Must(t, c.DeleteEndedSessions(t.Context(), at))
		counts = append(counts, c.rows())
	}

	forget(c.now)
	forget(c.now.Add(time.Minute))
	c.exec(`UPDATE tokens SET revoked_at = 1 WHERE id = 't1'`)
	forget(c.now.Add(time.Minute))
	forget(c.now.Add(SessionLife))

	if got, want := fmt.Sprint(counts), "[3 2 1 0]"; got != want {
		t.Errorf("got %s left, want %s", got, want)
	}
}

func TestOpen_GivesAnEarlierSchemaItsSessions(t *testing.T) {
	t.Parallel()
	for version := int64(1); version <= 2; version++ {
		dir := t.TempDir()
		db, err := sql.Open("sqlite", filepath.Join(dir, "aorta.db"))
		testkit.Must(t, err)
		p, err := provider(db, sqlite.New(dir))
		testkit.Must(t, err)
		_, err = p.UpTo(t.Context(), version)
		testkit.Must(t, err)
		_, err = db.Exec(`INSERT INTO users VALUES ('u1', 'ann', 'developer', 0); INSERT INTO tokens VALUES ('t1', 'u1', ?, 0, NULL, NULL)`, HashToken("of ann"))
		testkit.Must(t, err)
		_, early := db.Exec(`DELETE FROM sessions`)
		testkit.Must(t, db.Close())

		s, err := tryOpen(t, dir)
		testkit.Must(t, err)
		_, cookie, err := s.StartSession(t.Context(), NewSession{TokenHash: HashToken("of ann")})
		testkit.Must(t, err)
		have, err := s.SessionByCookie(t.Context(), cookie)

		if early == nil {
			t.Errorf("schema %d has sessions already", version)
		}
		if err != nil || have.User.Name != "ann" || have.User.Role != "developer" {
			t.Errorf("from schema %d: got %+v, %v; want ann signed in", version, have, err)
		}
	}
}
