package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// routeShape is what a build's aorta.yml asks for; see shapes.go.
type routeShape struct {
	Timeout     *int64 `json:"timeout,omitempty"`      // seconds
	IdleTimeout *int64 `json:"idle_timeout,omitempty"` // seconds
	MaxBody     *int64 `json:"max_body,omitempty"`     // bytes
}

func routeShapeOf(c cluster.RequestLimitsChange) routeShape {
	return routeShape{Timeout: secondsOf(c.Timeout), IdleTimeout: secondsOf(c.IdleTimeout), MaxBody: c.MaxBody}
}

func (s routeShape) change() cluster.RequestLimitsChange {
	return cluster.RequestLimitsChange{Timeout: durationOf(s.Timeout), IdleTimeout: durationOf(s.IdleTimeout), MaxBody: s.MaxBody}
}

func secondsOf(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	n := int64(*d / time.Second)
	return &n
}

func durationOf(seconds *int64) *time.Duration {
	if seconds == nil {
		return nil
	}
	d := time.Duration(*seconds) * time.Second
	return &d
}

func (r appRow) requests() cluster.RequestLimits {
	return cluster.RequestLimits{
		Timeout:     time.Duration(r.RequestTimeout) * time.Second,
		IdleTimeout: time.Duration(r.IdleTimeout) * time.Second, MaxBody: r.MaxBody,
	}
}

// ChangeRequestLimits changes what a request to an app may take.
func (s *Store) ChangeRequestLimits(ctx context.Context, app cluster.App, change cluster.RequestLimitsChange, user string) (cluster.RequestLimits, error) {
	var after cluster.RequestLimits
	err := s.write(ctx, "change the limits of requests", func(tx *gorm.DB) (err error) {
		after, err = s.changeRequestLimits(tx, app.ID, change, user)
		return err
	})
	return after, err
}

func (s *Store) changeRequestLimits(tx *gorm.DB, app cluster.ID, change cluster.RequestLimitsChange, user string) (cluster.RequestLimits, error) {
	var row appRow
	if err := tx.Where("id = ?", string(app)).Take(&row).Error; err != nil {
		return cluster.RequestLimits{}, err
	}
	before := row.requests()
	after := before.With(change)
	if after == before {
		return after, nil
	}
	if err := after.Validate(""); err != nil {
		return before, err
	}
	err := tx.Model(&row).Updates(map[string]any{
		"request_timeout": int64(after.Timeout / time.Second), "idle_timeout": int64(after.IdleTimeout / time.Second),
		"max_body": after.MaxBody, "version": row.Version + 1,
	}).Error
	if err != nil {
		return before, err
	}
	return after, s.note(tx, user, "app.route", "app "+row.Name, limitsText(before), limitsText(after))
}

func limitsText(l cluster.RequestLimits) string {
	return fmt.Sprintf("timeout %s, idle timeout %s, max body %d", duration.Text(l.Timeout), duration.Text(l.IdleTimeout), l.MaxBody)
}
