package main_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"aorta/internal/testkit"
)

var metricName = regexp.MustCompile(`aorta_[a-z_]+`)

// What the alerts are about is what the daemon says.
func TestMetrics_HaveWhatTheAlertsAskFor(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.get("/")
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	raw, err := os.ReadFile("../../docs/prometheus-alerts.yml")
	testkit.Must(t, err)
	testkit.Must(t, yaml.Unmarshal(raw, &file))

	testkit.Eventually(t, "the request to be counted", func() bool {
		return strings.Contains(c.metrics(), `aorta_app_requests_total{app="shop",class="2xx"} 1`+"\n")
	})
	metrics := c.metrics()

	for _, want := range []string{
		`aorta_app_state{app="shop",state="serving"} 1`, `aorta_app_instances_running{app="shop"} 1`, `aorta_app_instances_crashing{app="shop"} 0`,
		`aorta_app_request_duration_seconds_bucket{app="shop",le="+Inf"} 1`, `aorta_operations_ended_total{kind="deploy",result="succeeded"} 1`,
		`aorta_apps_left_out 0`, `aorta_queue_length{kind="deploy"} 0`, `aorta_jobs_need_attention 0`, `aorta_node_up{node="` + here + `"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics lack %s:\n%s", want, grep(metrics, "aorta_"))
		}
	}
	rules := file.Groups[0].Rules
	for _, rule := range rules {
		if strings.Count(rule.Expr, "(") != strings.Count(rule.Expr, ")") {
			t.Errorf("%s: %q is not balanced", rule.Alert, rule.Expr)
		}
		for _, name := range metricName.FindAllString(rule.Expr, -1) {
			if !strings.Contains(metrics, "\n# TYPE "+name+" ") {
				t.Errorf("%s: there is no metric %s", rule.Alert, name)
			}
		}
	}
	if len(rules) < 8 {
		t.Errorf("got %d alerts, want all of the file", len(rules))
	}
}
