package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// DefaultWorkspace has all apps that name no other one.
const DefaultWorkspace = "default"

type workspaceRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (workspaceRow) TableName() string { return "workspaces" }

type userRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Role      string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (userRow) TableName() string { return "users" }

type tokenRow struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	Hash      string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	ExpiresAt *int64
	RevokedAt *int64
}

func (tokenRow) TableName() string { return "tokens" }

// User is who a token belongs to.
type User struct {
	ID   cluster.ID
	Name string
	Role string
}

// ErrBadToken marks a token that is unknown, revoked or expired.
var ErrBadToken = errors.New("bad token")

func badToken(text string) error {
	return &cluster.Error{Code: cluster.CodeForbidden, Message: text, Err: ErrBadToken}
}

// HashToken is how tokens are kept. They are long and random, so a plain hash
// is enough, and it can be looked up.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Bootstrap makes the first workspace and the first admin with the token, if
// there is no admin yet. It says whether it did.
func (s *Store) Bootstrap(ctx context.Context, admin, token string) (made bool, err error) {
	err = s.write(ctx, "make the first admin", func(tx *gorm.DB) error {
		now := s.now().UnixNano()
		var n int64
		if err := tx.Model(&userRow{}).Count(&n).Error; err != nil || n > 0 {
			return err
		}
		made = true
		user := userRow{ID: string(cluster.NewID()), Name: admin, Role: "admin", CreatedAt: now}
		if err := tx.Create(&workspaceRow{ID: string(cluster.NewID()), Name: DefaultWorkspace, CreatedAt: now}).Error; err != nil {
			return err
		}
		if err := tx.Create(&user).Error; err != nil {
			return err
		}
		return tx.Create(&tokenRow{ID: string(cluster.NewID()), UserID: user.ID, Hash: HashToken(token), CreatedAt: now}).Error
	})
	return made, err
}

// ReplaceToken gives a user a new token beside those it has: for an admin
// token file that was lost.
func (s *Store) ReplaceToken(ctx context.Context, user, token string) error {
	return s.write(ctx, "make a token", func(tx *gorm.DB) error {
		var row userRow
		if err := tx.Where("name = ?", user).Take(&row).Error; err != nil {
			return err
		}
		return tx.Create(&tokenRow{ID: string(cluster.NewID()), UserID: row.ID, Hash: HashToken(token), CreatedAt: s.now().UnixNano()}).Error
	})
}

// UserByToken finds who a token belongs to; forbidden when it is unknown,
// revoked or expired, without saying which.
func (s *Store) UserByToken(ctx context.Context, token string) (User, error) {
	var rows []userRow
	err := s.read.WithContext(ctx).Table("users").Select("users.*").
		Joins("JOIN tokens ON tokens.user_id = users.id").
		Where("tokens.hash = ? AND tokens.revoked_at IS NULL AND (tokens.expires_at IS NULL OR tokens.expires_at > ?)",
			HashToken(token), s.now().UnixNano()).Limit(1).Find(&rows).Error
	if err != nil {
		return User{}, translate(err, "look up a token")
	}
	if len(rows) == 0 {
		return User{}, badToken("the token is not valid (log in again: aorta login URL --token -)")
	}
	return User{ID: cluster.ID(rows[0].ID), Name: rows[0].Name, Role: rows[0].Role}, nil
}
