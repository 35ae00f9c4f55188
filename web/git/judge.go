package git

import (
	"fmt"
	"io"
	"strings"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// Why a ref is refused before the Backend hears of the push.
var (
	errOtherRef  = cluster.Invalid("", "push to main or master")
	errDelete    = cluster.Invalid("", "the branch that an app is deployed from can't be deleted (aorta apps destroy removes the app)")
	errBoth      = cluster.Invalid("", "main and master in one push: push one of them")
	errAlongside = cluster.Invalid("", "not deployed, since another ref of this push is refused: push it alone")
)

// verdict is what becomes of the commands of a push, by their index.
type verdict struct {
	deploy   int     // the one that goes to the Backend; -1 for none
	refusals []error // nil where there is none
	tags     []int   // that git stores by itself
}

// judge decides about the commands of a push. A refusal refuses the deploy too,
// so that git never reports a failure of a push whose release serves.
func judge(list []command) verdict {
	v := verdict{deploy: -1, refusals: make([]error, len(list))}
	refused := false
	for i, c := range list {
		if strings.HasPrefix(c.Ref, tagPrefix) {
			v.tags = append(v.tags, i)
			continue
		}
		if v.refusals[i] = refusal(c); v.refusals[i] != nil {
			refused = true
			continue
		}
		if v.deploy >= 0 {
			v.refusals[v.deploy], v.refusals[i] = errBoth, errBoth
			refused = true
			continue
		}
		v.deploy = i
	}
	if refused && v.deploy >= 0 {
		if v.refusals[v.deploy] == nil {
			v.refusals[v.deploy] = errAlongside
		}
		v.deploy = -1
	}
	return v
}

// refusal is why a ref that is no tag can't be pushed.
func refusal(c command) error {
	branch, isBranch := strings.CutPrefix(c.Ref, branchPrefix)
	deployed := branch == "main" || branch == "master"
	switch {
	case isBranch && deployed && c.New == gitrepo.NoCommit:
		return errDelete
	case isBranch && deployed:
		return nil
	case isBranch && c.New != gitrepo.NoCommit:
		return cluster.Invalid("", "only main and master are deployed; to deploy this branch: git push aorta %s:main", branch)
	}
	return errOtherRef
}

// report says what becomes of the tags of a push.
func (v verdict) report(list []command, out io.Writer) {
	var stored []string
	for _, i := range v.tags {
		if list[i].New != gitrepo.NoCommit {
			stored = append(stored, strings.TrimPrefix(list[i].Ref, tagPrefix))
		}
	}
	switch len(stored) {
	case 0:
		return
	case 1:
		_, _ = fmt.Fprintf(out, "Tag %s is stored; a tag by itself deploys nothing.\n", stored[0])
	default:
		_, _ = fmt.Fprintf(out, "%d tags are stored; a tag by itself deploys nothing.\n", len(stored))
	}
	if v.deploy < 0 {
		_, _ = fmt.Fprintf(out, "To deploy a tag: git push aorta '%s^{commit}:main'\n", stored[0])
	}
}
