package store

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

const (
	// SessionIdle is how long a session lives without being used.
	SessionIdle = 12 * time.Hour
	// SessionLife is how long a session lives at most.
	SessionLife = 7 * 24 * time.Hour
	// SessionSeen is how far behind the recorded use of a session may be: one
	// write a minute says it, not one a request.
	SessionSeen = time.Minute
	// sessionsEach is how many sessions a user has at most; a new one ends the
	// one that was used least lately.
	sessionsEach = 100
)

// ErrSessionEnded marks a cookie that is unknown, or whose session was ended,
// has expired, or has lost its token.
var ErrSessionEnded = errors.New("session ended")

type sessionRow struct {
	ID        string `gorm:"primaryKey"`
	TokenID   string
	Hash      string
	Agent     string
	Address   string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	SeenAt    int64
}

func (sessionRow) TableName() string { return "sessions" }

// Session is a sign-in with a browser. ExpiresAt is when it ends unless it is
// used before.
type Session struct {
	ID        cluster.ID
	User      User
	Agent     string // what the browser calls itself
	Address   string // it signed in from, without the port
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// NewSession asks for a session with a token.
type NewSession struct {
	TokenHash string
	Agent     string
	Address   string
	Replaces  string // cookie of the session that ends with it; may be empty
}

// sessionView is a session with its user and its token's end.
type sessionView struct {
	ID           string
	Agent        string
	Address      string
	CreatedAt    int64
	SeenAt       int64
	UserID       string
	UserName     string
	UserRole     string
	TokenExpires *int64
}

func (v sessionView) session() Session {
	s := Session{
		ID: cluster.ID(v.ID), User: User{ID: cluster.ID(v.UserID), Name: v.UserName, Role: v.UserRole},
		Agent: v.Agent, Address: v.Address, CreatedAt: toTime(v.CreatedAt), SeenAt: toTime(v.SeenAt),
	}
	s.ExpiresAt = s.SeenAt.Add(SessionIdle)
	if last := s.CreatedAt.Add(SessionLife); last.Before(s.ExpiresAt) {
		s.ExpiresAt = last
	}
	if last := toTimePtr(v.TokenExpires); last != nil && last.Before(s.ExpiresAt) {
		s.ExpiresAt = *last
	}
	return s
}

// StartSession makes a session for who the token belongs to, and gives the
// cookie that proves it, which is kept nowhere. A token that is unknown,
// revoked or expired is forbidden, without saying which.
func (s *Store) StartSession(ctx context.Context, n NewSession) (Session, string, error) {
	view, err := s.tokenOwner(ctx, n.TokenHash)
	if err != nil {
		return Session{}, "", err
	}
	now := s.now().UnixNano()
	cookie := rand.Text() + rand.Text() // 260 bits
	row := sessionRow{
		ID: string(cluster.NewID()), TokenID: view.ID, Hash: HashToken(cookie),
		Agent: n.Agent, Address: n.Address, CreatedAt: now, SeenAt: now,
	}
	view.ID, view.Agent, view.Address, view.CreatedAt, view.SeenAt = row.ID, row.Agent, row.Address, now, now
	made := view.session()
	err = s.write(ctx, "make a session", func(tx *gorm.DB) error {
		if err := makeRoom(tx, view.UserID, n.Replaces); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.note(tx, view.UserName, "session.start", sessionThing(made.ID), "", n.Address)
	})
	return made, cookie, err
}

// tokenOwner gives who a token belongs to, by its hash, with the token's id and end.
func (s *Store) tokenOwner(ctx context.Context, hash string) (sessionView, error) {
	var views []sessionView
	err := s.read.WithContext(ctx).Table("tokens").Joins("JOIN users ON users.id = tokens.user_id").
		Select("tokens.id, users.id AS user_id, users.name AS user_name, users.role AS user_role, tokens.expires_at AS token_expires").
		Where("tokens.hash = ? AND "+tokenLives, hash, s.now().UnixNano()).Limit(1).Find(&views).Error
	if err != nil {
		return sessionView{}, translate(err, "look up a token")
	}
	if len(views) == 0 {
		return sessionView{}, badToken("the token is not valid (the first admin's token stands in admin.token in the pacemaker's data directory)")
	}
	return views[0], nil
}

// makeRoom ends the session that a new one replaces, and those that are too
// many with it.
func makeRoom(tx *gorm.DB, user, replaced string) error {
	if replaced != "" {
		if err := tx.Where("hash = ?", HashToken(replaced)).Delete(&sessionRow{}).Error; err != nil {
			return err
		}
	}
	var over []string
	err := tx.Table("sessions").Joins("JOIN tokens ON tokens.id = sessions.token_id").Where("tokens.user_id = ?", user).
		Order("sessions.seen_at DESC, sessions.id DESC").Offset(sessionsEach-1).Limit(-1).Pluck("sessions.id", &over).Error
	if err != nil || len(over) == 0 {
		return err
	}
	return tx.Where("id IN ?", over).Delete(&sessionRow{}).Error
}

func sessionThing(id cluster.ID) string { return "session " + id.Short() }

// tokenLives takes the present moment.
const tokenLives = "tokens.revoked_at IS NULL AND (tokens.expires_at IS NULL OR tokens.expires_at > ?)"

// living are the sessions that are good now.
func (s *Store) living(ctx context.Context) *gorm.DB {
	now := s.now()
	return s.read.WithContext(ctx).Table("sessions").
		Select("sessions.*, users.id AS user_id, users.name AS user_name, users.role AS user_role, tokens.expires_at AS token_expires").
		Joins("JOIN tokens ON tokens.id = sessions.token_id").Joins("JOIN users ON users.id = tokens.user_id").
		Where("sessions.created_at > ? AND sessions.seen_at > ? AND "+tokenLives,
			now.Add(-SessionLife).UnixNano(), now.Add(-SessionIdle).UnixNano(), now.UnixNano())
}

// SessionByCookie finds a session; forbidden, as ErrSessionEnded, when the
// cookie is of none that is good now.
func (s *Store) SessionByCookie(ctx context.Context, cookie string) (Session, error) {
	var views []sessionView
	if err := s.living(ctx).Where("sessions.hash = ?", HashToken(cookie)).Limit(1).Find(&views).Error; err != nil {
		return Session{}, translate(err, "look up a session")
	}
	if len(views) == 0 {
		return Session{}, &cluster.Error{Code: cluster.CodeForbidden, Message: "the session has ended: sign in again", Err: ErrSessionEnded}
	}
	return views[0].session(), nil
}

// Sessions are a user's good ones, oldest first.
func (s *Store) Sessions(ctx context.Context, user cluster.ID) ([]Session, error) {
	var views []sessionView
	if err := s.living(ctx).Where("users.id = ?", string(user)).Order("sessions.id").Find(&views).Error; err != nil {
		return nil, translate(err, "list sessions")
	}
	list := make([]Session, len(views))
	for i, v := range views {
		list[i] = v.session()
	}
	return list, nil
}

// TouchSession records that a session is in use, unless that was recorded less
// than SessionSeen ago.
func (s *Store) TouchSession(ctx context.Context, id cluster.ID) error {
	now := s.now()
	return s.write(ctx, "record the use of a session", func(tx *gorm.DB) error {
		return tx.Model(&sessionRow{}).Where("id = ? AND seen_at <= ?", string(id), now.Add(-SessionSeen).UnixNano()).
			Update("seen_at", now.UnixNano()).Error
	})
}

// EndSession ends a session at once. Only admins may end another user's: for
// everybody else those do not exist.
func (s *Store) EndSession(ctx context.Context, by User, id cluster.ID) error {
	return s.write(ctx, "end a session", func(tx *gorm.DB) error {
		q := tx.Where("id = ?", string(id))
		if by.Role != "admin" {
			q = q.Where("token_id IN (SELECT id FROM tokens WHERE user_id = ?)", string(by.ID))
		}
		switch done := q.Delete(&sessionRow{}); {
		case done.Error != nil:
			return done.Error
		case done.RowsAffected == 0:
			return cluster.NotFound("session %.40q does not exist", id)
		}
		return s.note(tx, by.Name, "session.end", sessionThing(id), "", "")
	})
}

// DeleteEndedSessions drops the sessions that are no longer good at a moment.
func (s *Store) DeleteEndedSessions(ctx context.Context, now time.Time) error {
	return s.write(ctx, "delete ended sessions", func(tx *gorm.DB) error {
		return tx.Where("created_at <= ? OR seen_at <= ? OR token_id NOT IN (SELECT tokens.id FROM tokens WHERE "+tokenLives+")",
			now.Add(-SessionLife).UnixNano(), now.Add(-SessionIdle).UnixNano(), now.UnixNano()).Delete(&sessionRow{}).Error
	})
}
