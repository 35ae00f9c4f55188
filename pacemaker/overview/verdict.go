package overview

import (
	"fmt"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// AppState is how an app is, in one word.
type AppState string

// The states of an app.
const (
	AppServing   AppState = "serving"
	AppRunning   AppState = "running" // as serving, without a web process or an instance of it that is wanted
	AppDeploying AppState = "deploying"
	AppStopped   AppState = "stopped" // nothing of it is wanted
	AppFailed    AppState = "failed"  // it should serve and does not
	AppEmpty     AppState = "empty"   // it was never deployed, or its first deploy failed
)

// Verdict is how an app is, the same wherever it is shown.
type Verdict struct {
	State    AppState
	Severity Severity
	Text     string // without the app's name
}

// loopRestarts is how often an instance must have been started again for its app,
// which has no other, to count as down while it runs.
const loopRestarts = 2

// settles is how long one must run after its first crash to count again: with several
// that crash in turns, an app would else be down and up with each restart.
const settles = 10 * time.Second

// judge gives the verdict on what is known of the app. neverWorked says that its
// first deploy failed.
func (a App) judge(neverWorked bool) Verdict {
	rollsOut := a.Operation != nil && (a.Operation.Kind == cluster.OpDeploy || a.Operation.Kind == cluster.OpRelease)
	switch {
	case a.Stopped:
		return Verdict{AppStopped, SeverityOK, "stopped"}
	case a.Release == "" && rollsOut:
		return Verdict{AppDeploying, SeverityOK, "being deployed for the first time"}
	case a.Release == "" && neverWorked:
		return Verdict{AppEmpty, SeverityWarn, "not deployed yet: its first deploy failed"}
	case a.Release == "":
		return Verdict{AppEmpty, SeverityOK, "not deployed yet"}
	case a.Wanted == 0:
		return Verdict{AppStopped, SeverityOK, "stopped: scaled to 0"}
	}
	v := a.judgeRunning()
	if rollsOut && v.Severity != SeverityBad {
		v.State = AppDeploying
	}
	return v
}

// judgeRunning is about an app of which something should run.
func (a App) judgeRunning() Verdict {
	works := AppServing
	if a.web == 0 {
		works = AppRunning
	}
	changing := a.Operation != nil && a.Operation.Changing()
	up := fmt.Sprintf("%d of %d instances running", a.Wanted-a.Missing, a.Wanted)
	switch {
	case a.down && len(a.Crashing) == 0 && a.Operation != nil && a.Operation.Kind == cluster.OpScale:
		return Verdict{AppDeploying, SeverityOK, up}
	case a.down, a.loops && len(a.Crashing) > 0:
		return Verdict{AppFailed, SeverityBad, a.downText(up)}
	case a.web > 0 && a.Answers.mostFail():
		return Verdict{AppFailed, SeverityBad, a.Answers.text()}
	case len(a.Crashing) > 0:
		return Verdict{works, SeverityWarn, crashesText(a.Crashing, a.Wanted)}
	case a.Missing > 0 && !changing:
		return Verdict{works, SeverityWarn, up}
	case a.web > 0 && a.Answers.manyFail():
		return Verdict{works, SeverityWarn, a.Answers.text()}
	case a.Missing > 0:
		return Verdict{works, SeverityOK, up}
	case a.NoWeb:
		return Verdict{works, SeverityOK, "no web process"}
	case a.web == 0:
		return Verdict{works, SeverityOK, "no web instance (scaled to 0)"}
	}
	return Verdict{works, SeverityOK, "serving"}
}

// downText says why nothing answers requests; of an app without a web process, or
// with none of it wanted, why nothing runs.
func (a App) downText(up string) string {
	if a.web == 0 {
		if len(a.Crashing) > 0 {
			return crashesText(a.Crashing, a.Wanted)
		}
		return up
	}
	var crashing []cluster.Instance
	for _, in := range a.Crashing {
		if in.Type == cluster.WebType {
			crashing = append(crashing, in)
		}
	}
	switch {
	case len(crashing) > 0:
		return downPrefix + crashesText(crashing, a.web)
	case a.Missing < a.Wanted: // other types run
		return downPrefix + fmt.Sprintf("0 of %d web instances running", a.web)
	}
	return downPrefix + up
}

// downPrefix begins the verdict on an app that answers no request.
const downPrefix = "does not serve: "

// of is the verdict as a sentence about the app, without its end.
func (v Verdict) of(name string) string {
	if strings.HasPrefix(v.Text, downPrefix) {
		return name + " " + v.Text
	}
	return name + ": " + v.Text
}

// crashesText tells of the instance that was started again most often, and how many
// of those wanted crash.
func crashesText(crashing []cluster.Instance, wanted int) string {
	worst := crashing[0]
	for _, in := range crashing {
		if in.Restarts > worst.Restarts {
			worst = in
		}
	}
	if n := len(crashing); n < wanted {
		return fmt.Sprintf("%d of %d instances %s", n, wanted, crashText(worst))
	}
	return crashText(worst)
}

// crashText says how often an instance was started again, and why last.
func crashText(in cluster.Instance) string {
	text := "crashing"
	switch in.Restarts {
	case 0:
	case 1:
		text += " (1 restart)"
	default:
		text += fmt.Sprintf(" (%d restarts)", in.Restarts)
	}
	if in.Error != "" {
		text += ": " + strings.TrimPrefix(firstLine(in.Error), "its process ")
	}
	return text
}
