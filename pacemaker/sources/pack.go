package sources

import (
	"context"
	"errors"
	"fmt"
)

// Pack keeps the repositories of all apps small and quick to push to. One that
// fails keeps none of the others from its turn.
func (s *Sources) Pack(ctx context.Context) error {
	apps, err := s.cfg.Store.Apps(ctx, "", -1)
	if err != nil {
		return err
	}
	var errs []error
	for _, app := range apps {
		if err := s.Repo(app.ID).Maintain(ctx); err != nil {
			errs = append(errs, fmt.Errorf("pack the repository of app %s: %w", app.Name, err))
		}
	}
	return errors.Join(errs...)
}
