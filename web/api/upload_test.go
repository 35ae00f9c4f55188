package api_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/internal/rig"
)

func TestDeployArchive_SaysThatTheUploadIsDamaged(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	_, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	var whole bytes.Buffer
	z := gzip.NewWriter(&whole)
	_, err = z.Write([]byte(rand.Text() + rand.Text()))
	testkit.Must(t, err)
	testkit.Must(t, z.Close())
	sum := whole.Len() - 8 // of the contents, behind them
	other := bytes.Clone(whole.Bytes())
	other[sum]++

	for name, body := range map[string][]byte{
		"cut off": whole.Bytes()[:sum], "another sum": other, "no gzip inside": append(bytes.Clone(whole.Bytes()[:10]), bytes.Repeat([]byte{0xff}, 30)...),
	} {
		got := r.Do(rig.Ask{Method: "POST", Path: "/apps/shop/deploys/archive", Token: rig.AdminToken, Body: string(body), Header: map[string]string{
			"Content-Type": "application/x-tar", "Content-Encoding": "gzip",
		}})

		p := rig.WantProblem(t, got, http.StatusUnprocessableEntity)
		if !strings.Contains(p.Detail, "send it again") {
			t.Errorf("%s: got %+v, want it said", name, p)
		}
	}
}
