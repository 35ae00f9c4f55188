package dashboard

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// What failed long ago is not among the live jobs. The list of what failed has it
// all the same, and says how many there are in all.
func TestPages_FindAllJobsThatFailed(t *testing.T) {
	old := func(id string) string {
		return strings.Replace((&script{}).job(id), `"running"`, `"failed"`, 1)
	}
	p, _ := answered(t, "/jobs?show=failed", map[string]func(url.Values) string{
		"/api/v1/jobs": func(q url.Values) string {
			switch {
			case q.Get("state") != "failed":
				return `{"items":[]}`
			case q.Get("count") == "true":
				return `{"items":[],"total":22}`
			case q.Get("cursor") == "8":
				return fmt.Sprintf(`{"items":[%s]}`, old("7"))
			default:
				return fmt.Sprintf(`{"items":[%s,%s],"next":"8"}`, old("9"), old("8"))
			}
		},
	})

	p.AwaitText("22 jobs")
	p.AwaitText("Deploy 8")
	p.Click("button", "Older jobs")
	p.AwaitText("Deploy 7")
	p.AwaitNo("button", "Older jobs")
}
