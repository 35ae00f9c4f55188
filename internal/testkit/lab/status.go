package lab

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Status writes how the hosts are, and what is cut.
func (l *Lab) Status(ctx context.Context, to io.Writer) error {
	now, err := readRecord(l.Dir)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tADDRESS\tROLES\tMEMORY\tSTATE")
	for _, h := range l.Hosts {
		fmt.Fprintf(w, "%s\t%s %s\t%s\t%d MB\t%s\n", h.Name, h.Address(), h.Address6(), strings.Join(h.Roles, ","), h.group.memory()>>20, h.state(ctx))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, c := range now.Cuts {
		fmt.Fprintln(to, c)
	}
	return nil
}

// state is how a host is, in words.
func (h *Host) state(ctx context.Context) string {
	switch {
	case !h.IsOn():
		return "off"
	case h.lab.rec.Bare:
		return "on"
	}
	if err := answers(ctx, unixClient(h.engineSocket()), "http://engine/_ping"); err != nil {
		return "its engine does not answer"
	}
	if len(h.Roles) == 0 {
		return "on, without a daemon"
	}
	if err := answers(ctx, h.HTTP(pollTimeout), h.API()+"/readyz"); err != nil {
		return "not ready: " + plain(err).Error()
	}
	return "ready"
}
