package lab

import (
	"os"
	"path/filepath"

	"aorta/internal/config"
)

// Ports of a host, as make up has them.
const (
	apiPort    = "7420"
	nodePort   = "7421" // the nodes' API, on the host with the pacemaker
	routerPort = "8080"
)

// Domain is the cluster's: apps are NAME.Domain.
const Domain = "aorta.localhost"

// Host is one machine of a lab.
type Host struct {
	*Room
	Spec

	lab   *Lab
	place int
}

// Address is the host's in IPv4.
func (h *Host) Address() string { return address4(h.place) }

// Address6 is the host's in IPv6.
func (h *Host) Address6() string { return address6(h.place) }

// API is where its daemon answers, and on the first host everybody.
func (h *Host) API() string { return "http://" + h.Address() + ":" + apiPort }

// Router is where apps are served.
func (h *Host) Router() string { return h.Address() + ":" + routerPort }

// Disk is the directory of what the host keeps without power: data, the daemon's
// data directory, and what its engine has.
func (h *Host) Disk() string { return filepath.Join(h.lab.Dir, h.Name) }

func (h *Host) data() string { return filepath.Join(h.Disk(), "data") }

// sockets is what the host loses with its power.
func (h *Host) sockets() string { return filepath.Join(h.lab.runDir(), h.Name) }

// Engine is the address of the host's Docker engine.
func (h *Host) Engine() string { return "unix://" + h.engineSocket() }

func (h *Host) engineSocket() string { return filepath.Join(h.sockets(), "docker.sock") }

// Log is what the host's daemon has said.
func (h *Host) Log() string {
	raw, _ := os.ReadFile(h.logFile())
	return string(raw)
}

func (h *Host) logFile() string { return filepath.Join(h.Disk(), "aortad.log") }

// Env is the environment of who sits at the host: its engine, and where aortad has
// its data when nothing else is said, since the hosts share the machine's files.
func (h *Host) Env() []string {
	return append(h.lab.Env(), "DOCKER_HOST="+h.Engine(), "AORTAD_DOCKER_HOST="+h.Engine(), "AORTAD_DATA_DIR="+h.data())
}

// IsOn says whether the host has power.
func (h *Host) IsOn() bool { return h.isUp() }

// forget removes what a machine loses with its power.
func (h *Host) forget() error {
	if err := removeAll(config.DefaultRunDir(h.data())); err != nil {
		return err
	}
	return removeAll(h.sockets())
}
