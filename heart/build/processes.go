package build

import (
	"fmt"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
)

// declared has the files in a source's root; nil means that there is none.
type declared struct {
	procfile []byte
	manifest []byte
	appJSON  []byte
}

// plan is the result of merging a source's files and its image.
type plan struct {
	processes []cluster.ProcessType
	procfile  bool // there is one
	domains   []string
	route     cluster.RequestLimitsChange
	build     BuildKey
	warnings  []string
}

// resolve merges the files: process types come from the Procfile, or from the
// image's command as web; quantities from app.json; aorta.yml overrides both.
// hasCommand says that the image has a command or entry point.
func (d declared) resolve(hasCommand bool) (plan, error) {
	p, err := d.read(hasCommand)
	if err != nil {
		return p, err
	}
	if len(p.processes) == 0 {
		return p, cluster.Invalid("", "the image has neither a command nor an entry point, and there is no Procfile: add CMD to the Dockerfile, or a Procfile with a line such as web: ./server")
	}
	if p.find("release") >= 0 {
		p.warnings = append(p.warnings, "release commands are not run yet: process type release starts with 0 instances (run it by hand)")
	}
	return p, nil
}

// read merges the files. Its error tells the mistakes of all of them.
func (d declared) read(hasCommand bool) (plan, error) {
	var p plan
	var m Manifest
	var inManifest, inProcfile, inAppJSON error
	if d.manifest != nil {
		m, inManifest = ParseManifest(d.manifest)
	}
	p.domains, p.route, p.build = m.Domains, m.Route, m.Build
	if p.procfile = d.procfile != nil; p.procfile {
		p.processes, inProcfile = ParseProcfile(d.procfile)
	} else if hasCommand {
		p.processes = []cluster.ProcessType{{Name: cluster.WebType}}
	}
	for i := range p.processes {
		p.processes[i].Container = m.Container
	}
	if d.appJSON != nil {
		inAppJSON = d.quantities(&p, inProcfile == nil)
	}
	if err := d.forPeople(inProcfile, inAppJSON, inManifest); err != nil {
		return p, err
	}
	var errs []error
	for _, over := range m.Processes {
		errs = append(errs, p.override(over))
	}
	return p, d.forPeople(errs...)
}

// quantities takes those of app.json; known says that all process types are.
func (d declared) quantities(p *plan, known bool) error {
	wanted, unused, err := ParseAppJSON(d.appJSON)
	if err != nil {
		return err
	}
	for name, n := range wanted {
		if i := p.find(name); i >= 0 {
			p.processes[i].Quantity = &n
		} else if known {
			p.warnings = append(p.warnings, fmt.Sprintf("app.json sets a quantity of %d for process type %s, which does not exist", n, name))
		}
	}
	slices.Sort(p.warnings)
	if len(unused) > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("app.json: %s: nothing is done with that here; of that file, formation is read (config vars: aorta config set)", strings.Join(unused, ", ")))
	}
	return nil
}

func (p *plan) find(name string) int {
	return slices.IndexFunc(p.processes, func(t cluster.ProcessType) bool { return t.Name == name })
}

// override merges one process type of aorta.yml into the plan.
func (p *plan) override(over cluster.ProcessType) error {
	i := p.find(over.Name)
	if i < 0 {
		if over.Command == "" {
			return cluster.Invalid("aorta.yml: processes."+over.Name, "has no command, and %s; add command: …", p.noneFor(over.Name))
		}
		p.processes = append(p.processes, over)
		return nil
	}
	t := &p.processes[i]
	if over.Command == "" {
		over.Command = t.Command
	}
	if over.Quantity == nil {
		over.Quantity = t.Quantity
	}
	*t = over
	if over.Quantity == nil {
		return nil
	}
	return over.CheckQuantity("aorta.yml: processes."+over.Name+".exclusive", *over.Quantity)
}

// noneFor says why a process type gets a command from nowhere else. The image's is that
// of web alone: another type would be a second web that gets no requests.
func (p *plan) noneFor(name string) string {
	switch {
	case p.procfile:
		return "the Procfile has no line for it (beside a Procfile, the image's CMD is run by no process type)"
	case name == cluster.WebType:
		return "the image has neither CMD nor ENTRYPOINT"
	}
	return "the image's CMD is run by web alone"
}
