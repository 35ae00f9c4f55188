package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type joinTokenRow struct {
	ID        string `gorm:"primaryKey"`
	Hash      string
	Name      string
	Roles     string
	Tags      string
	Uses      int
	Used      int
	CreatedBy string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	ExpiresAt int64
	RevokedAt *int64
}

func (joinTokenRow) TableName() string { return "join_tokens" }

func (r joinTokenRow) token() (cluster.JoinToken, error) {
	roles, err := decode[[]cluster.Role](r.Roles, "a join token's roles")
	if err != nil {
		return cluster.JoinToken{}, err
	}
	tags, err := decode[map[string]string](r.Tags, "a join token's tags")
	return cluster.JoinToken{
		ID: cluster.ID(r.ID), Name: r.Name, Roles: roles, Tags: tags, Uses: r.Uses, Used: r.Used, CreatedBy: r.CreatedBy,
		CreatedAt: toTime(r.CreatedAt), ExpiresAt: toTime(r.ExpiresAt), RevokedAt: toTimePtr(r.RevokedAt),
	}, err
}

type joinUseRow struct {
	TokenID string `gorm:"primaryKey"`
	KeyHash string `gorm:"primaryKey"`
	NodeID  string
	UsedAt  int64
}

func (joinUseRow) TableName() string { return "join_uses" }

// CreateJoinToken keeps a token by the hash of its text.
func (s *Store) CreateJoinToken(ctx context.Context, t cluster.JoinToken, hash, user string) error {
	return s.write(ctx, "create join token", func(tx *gorm.DB) error {
		err := tx.Create(&joinTokenRow{
			ID: string(t.ID), Hash: hash, Name: t.Name, Roles: encode(t.Roles), Tags: encode(nonNil(t.Tags)), Uses: t.Uses,
			CreatedBy: user, CreatedAt: s.now().UnixNano(), ExpiresAt: t.ExpiresAt.UnixNano(),
		}).Error
		if err != nil {
			return err
		}
		return s.note(tx, user, "jointoken.create", "join token "+t.ID.Short(), "", fmt.Sprintf("%d uses, until %s", t.Uses, t.ExpiresAt.UTC().Format(time.RFC3339)))
	})
}

// JoinTokens lists those that can still be used, the newest first.
func (s *Store) JoinTokens(ctx context.Context) ([]cluster.JoinToken, error) {
	var rows []joinTokenRow
	err := s.read.WithContext(ctx).Where("used < uses AND revoked_at IS NULL AND expires_at > ?", s.now().UnixNano()).Order("created_at DESC, id").Find(&rows).Error
	if err != nil {
		return nil, translate(err, "list join tokens")
	}
	return mapped(rows, joinTokenRow.token)
}

// RevokeJoinToken ends a token, named by its id or the beginning that people see.
func (s *Store) RevokeJoinToken(ctx context.Context, id, user string) error {
	return s.write(ctx, "revoke join token", func(tx *gorm.DB) error {
		var rows []joinTokenRow
		if err := tx.Where("revoked_at IS NULL").Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			if row.ID != id && cluster.ID(row.ID).Short() != id {
				continue
			}
			if err := tx.Model(&row).Update("revoked_at", s.now().UnixNano()).Error; err != nil {
				return err
			}
			return s.note(tx, user, "jointoken.revoke", "join token "+cluster.ID(row.ID).Short(), "", "")
		}
		return cluster.NotFound("join token %q does not exist (list them with: aorta nodes token list)", cluster.Clip(id))
	})
}

// usable says why a token can't be used now.
func (s *Store) usable(tx *gorm.DB, row joinTokenRow) error {
	const another = " (make another one with: aorta nodes token)"
	switch now := s.now().UnixNano(); {
	case row.RevokedAt != nil:
		return badToken("the join token was revoked at " + toTime(*row.RevokedAt).UTC().Format(time.RFC3339) + another)
	case row.Used >= row.Uses:
		by, err := usedBy(tx, row.ID)
		if err != nil {
			return err
		}
		return badToken("the join token was used already: by " + by + another)
	case row.ExpiresAt <= now:
		return badToken("the join token expired at " + toTime(row.ExpiresAt).UTC().Format(time.RFC3339) + another)
	}
	return nil
}

func usedBy(tx *gorm.DB, token string) (string, error) {
	var rows []struct {
		Name   string
		UsedAt int64
	}
	err := tx.Model(&joinUseRow{}).Select("COALESCE(nodes.name, 'a node that is gone') AS name, join_uses.used_at").
		Joins("LEFT JOIN nodes ON nodes.id = join_uses.node_id").Where("join_uses.token_id = ?", token).Order("join_uses.used_at").Limit(4).Scan(&rows).Error
	var by []string
	for i, r := range rows {
		if i == 3 {
			by = append(by, "others")
			break
		}
		name, _, _ := strings.Cut(r.Name, removedMark)
		by = append(by, fmt.Sprintf("%s at %s", name, toTime(r.UsedAt).UTC().Format(time.RFC3339)))
	}
	return strings.Join(by, ", "), err
}
