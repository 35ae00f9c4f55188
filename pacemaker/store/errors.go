package store

import (
	"errors"
	"fmt"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// outage is what a dialect makes of an error by which the database can't serve
// now and may later: a full disk, a lock that is held.
type outage interface {
	error
	Outage() string // the reason, for people
}

// translate turns what gorm and the dialect say into a coded error. Coded
// errors pass as they are.
func translate(err error, verb string) error {
	var ours *cluster.Error
	var out outage
	switch {
	case err == nil, errors.As(err, &ours):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return &cluster.Error{Code: cluster.CodeNotFound, Message: verb + ": not found", Err: err}
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return &cluster.Error{Code: cluster.CodeConflict, Message: verb + ": exists already", Err: err}
	case errors.As(err, &out):
		return &cluster.Error{Code: cluster.CodeUnavailable, Message: verb + ": " + out.Outage(), Err: err}
	}
	return fmt.Errorf("%s: %w", verb, err)
}
