package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type idempotencyRow struct {
	Username  string `gorm:"primaryKey"`
	Key       string `gorm:"primaryKey"`
	Request   string // sealed: a plain hash of a short secret can be guessed
	Status    int    // 0 until it was answered
	Answer    string // sealed: answers hold tokens
	CreatedAt int64  `gorm:"autoCreateTime:false"`
}

func (idempotencyRow) TableName() string { return "idempotency_keys" }

// SavedAnswer is what a write was answered with; a repeat of the write gets it
// again.
type SavedAnswer struct {
	Status int
	Header map[string][]string
	Body   []byte
}

// ClaimIdempotencyKey reserves a user's key for a request, which is named by a
// hash of all of it. It gives nil when the key was new and is reserved now, and
// the saved answer when the request was answered before. A key of another request
// is invalid; one whose request was never answered is in conflict, since nobody
// knows whether that request was carried out.
func (s *Store) ClaimIdempotencyKey(ctx context.Context, user, key, request string) (*SavedAnswer, error) {
	sealed := s.sealer.Seal(request)
	var have []idempotencyRow
	err := s.write(ctx, "claim an idempotency key", func(tx *gorm.DB) error {
		if err := tx.Where("username = ? AND key = ?", user, key).Find(&have).Error; err != nil || len(have) > 0 {
			return err
		}
		return tx.Create(&idempotencyRow{Username: user, Key: key, Request: sealed, CreatedAt: s.now().UnixNano()}).Error
	})
	if err != nil || len(have) == 0 {
		return nil, err
	}
	return s.savedAnswer(have[0], request)
}

func (s *Store) savedAnswer(row idempotencyRow, request string) (*SavedAnswer, error) {
	first, err := s.sealer.Unseal(row.Request)
	if err != nil {
		return nil, err
	}
	if first != request {
		return nil, cluster.Invalid("Idempotency-Key", "was used for another request before: a new request needs a new key")
	}
	if row.Status == 0 {
		return nil, cluster.Conflict("the first request under this Idempotency-Key was cut off before its answer: check whether it was carried out, and repeat it under a new key if it was not")
	}
	plain, err := s.sealer.Unseal(row.Answer)
	if err != nil {
		return nil, err
	}
	answer, err := decode[SavedAnswer](plain, "a saved answer")
	return &answer, err
}

// SaveAnswer records the answer to the request that claimed the key.
func (s *Store) SaveAnswer(ctx context.Context, user, key string, a SavedAnswer) error {
	plain, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("save an answer: %w", err)
	}
	sealed := s.sealer.Seal(string(plain))
	return s.write(ctx, "save an answer", func(tx *gorm.DB) error {
		return tx.Model(&idempotencyRow{}).Where("username = ? AND key = ?", user, key).
			Updates(map[string]any{"status": a.Status, "answer": sealed}).Error
	})
}

// ReleaseIdempotencyKey gives a key back whose request failed on our side and may be
// repeated.
func (s *Store) ReleaseIdempotencyKey(ctx context.Context, user, key string) error {
	return s.write(ctx, "release an idempotency key", func(tx *gorm.DB) error {
		return tx.Where("username = ? AND key = ?", user, key).Delete(&idempotencyRow{}).Error
	})
}

// DeleteIdempotencyKeys drops the keys that were claimed before a moment, in nanoseconds.
func (s *Store) DeleteIdempotencyKeys(ctx context.Context, before int64) error {
	return s.write(ctx, "delete idempotency keys", func(tx *gorm.DB) error {
		return tx.Where("created_at < ?", before).Delete(&idempotencyRow{}).Error
	})
}
