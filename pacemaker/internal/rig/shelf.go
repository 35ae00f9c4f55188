package rig

import (
	"context"

	"aorta/pacemaker/cluster"
)

// Shelf is a registry that a test fills.
type Shelf struct {
	List  []cluster.RegistryImage
	Swept [][]cluster.RegistryImage // by each sweep

	Verified []cluster.ID
}

// Images is part of what a registry does.
func (s *Shelf) Images() ([]cluster.RegistryImage, error) { return s.List, nil }

// Used is part of what a registry does.
func (s *Shelf) Used() (int64, error) { return 1000, nil }

// Sweep is part of what a registry does.
func (s *Shelf) Sweep(_ context.Context, unneeded []cluster.RegistryImage) (int64, error) {
	s.Swept = append(s.Swept, unneeded)
	return 1000, nil
}

// Verify is part of what a registry does.
func (s *Shelf) Verify(_ context.Context, app cluster.ID) error {
	s.Verified = append(s.Verified, app)
	return nil
}
