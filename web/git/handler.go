package git

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"aorta/internal/disk"
	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
)

// ServeHTTP answers git clients below /git/.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := parseAddress(r)
	if err != nil {
		refuse(w, err)
		return
	}
	if r.Method != a.method() {
		w.Header().Set("Allow", a.method())
		http.Error(w, "this address takes "+a.method()+" only", http.StatusMethodNotAllowed)
		return
	}
	who, err := e.authenticate(r)
	if err != nil {
		if cluster.CodeOf(err) != cluster.CodeUnavailable {
			challenge(w, a.app, err)
			return
		}
		refuse(w, err)
		return
	}
	id, repo, err := e.backend.Repo(r.Context(), who, a.app, a.writes())
	if err != nil {
		e.fault(w, a, err)
		return
	}
	v := visit{address: a, who: who, id: id, repo: repo}
	if a.advertise {
		e.advertise(w, r, v)
		return
	}
	e.converse(w, r, v)
}

// visit is an admitted request.
type visit struct {
	address
	who  access.User
	id   cluster.ID
	repo gitrepo.Repo
}

func (e *Endpoint) authenticate(r *http.Request) (access.User, error) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return access.User{}, cluster.Forbidden("a token is the password (log in: aorta login URL --token -)")
	}
	return e.backend.Authenticate(r.Context(), user, password)
}

// statuses maps codes to what git clients make something of.
var statuses = map[cluster.Code]int{
	cluster.CodeInvalid:     http.StatusBadRequest,
	cluster.CodeNotFound:    http.StatusNotFound,
	cluster.CodeConflict:    http.StatusConflict,
	cluster.CodeForbidden:   http.StatusForbidden,
	cluster.CodeUnavailable: http.StatusServiceUnavailable,
}

// refuse answers with the error's text, which git shows as remote: lines.
func refuse(w http.ResponseWriter, err error) {
	status, known := statuses[cluster.CodeOf(err)]
	text := plain(err.Error())
	if !known {
		status, text = http.StatusInternalServerError, "the controller failed; its log says why"
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	http.Error(w, text, status)
}

// challenge makes git ask for a password, or for another one. Git shows the text
// to who has given a wrong one: to most because no helper knows a token here.
func challenge(w http.ResponseWriter, app string, err error) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Aorta: the password is a token", charset="UTF-8"`)
	http.Error(w, plain(err.Error())+"\nto let git use your login, run: aorta git:remote -a "+app, http.StatusUnauthorized)
}

// fault refuses, and logs what the answer does not contain.
func (e *Endpoint) fault(w http.ResponseWriter, a address, err error) {
	err = disk.ExplainError(err)
	if cluster.CodeOf(err) == cluster.CodeInternal {
		e.log.Error("git request failed", "app", a.app, "service", a.service, "error", err)
	}
	refuse(w, err)
}

// advertise answers with refs and abilities. They are few, so that a failure
// can still have a status.
func (e *Endpoint) advertise(w http.ResponseWriter, r *http.Request, v visit) {
	leave, err := e.turns.refs.take(r.Context(), v.app)
	if err != nil {
		e.fault(w, v.address, err)
		return
	}
	defer leave()
	var out bytes.Buffer
	out.Write(appendPacket(nil, "# service="+v.service+"\n"))
	out.WriteString(flushPacket)
	if err := v.advertise(r.Context(), &out); err != nil {
		e.fault(w, v.address, err)
		return
	}
	header(w, v.service+"-advertisement")
	_, _ = w.Write(out.Bytes())
}

func (v visit) advertise(ctx context.Context, out io.Writer) error {
	if v.writes() {
		return v.repo.AdvertiseReceive(ctx, out)
	}
	return v.repo.AdvertiseUpload(ctx, out)
}

func header(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", "application/x-"+kind)
	w.Header().Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// A proxy in front must not hold lines back.
	w.Header().Set("X-Accel-Buffering", "no")
}
