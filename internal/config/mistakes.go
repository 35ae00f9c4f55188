package config

import (
	"errors"
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// mistakes are what is wrong with a configuration, so that all of it is said at
// once: one for each option, since a second one may follow from it.
type mistakes []error

func (m *mistakes) add(err error) {
	if err == nil || m.has(fieldOf(err)) {
		return
	}
	*m = append(*m, err)
}

// has says whether one of these options is wrong.
func (m *mistakes) has(fields ...string) bool {
	for _, err := range *m {
		for _, field := range fields {
			if field != "" && fieldOf(err) == field {
				return true
			}
		}
	}
	return false
}

func fieldOf(err error) string {
	var e *cluster.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

// err is the only mistake, or one error with a line for each.
func (m *mistakes) err() error {
	switch len(*m) {
	case 0:
		return nil
	case 1:
		return (*m)[0]
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d mistakes in the configuration:", len(*m))
	for _, err := range *m {
		text.WriteString("\n  " + err.Error())
	}
	return &cluster.Error{Code: cluster.CodeInvalid, Message: text.String(), Err: errors.Join(*m...)}
}
