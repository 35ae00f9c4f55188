package cluster

import (
	"fmt"
	"strings"
	"testing"
)

func TestValidateEnvironment_RefusesWhatNoProcessStartsWith(t *testing.T) {
	vars := map[string]string{"SMALL": "x"}
	for i := range 31 {
		vars[fmt.Sprintf("VAR_%02d", i)] = strings.Repeat("x", MaxConfigValue)
	}
	if err := ValidateEnvironment("set", vars); err != nil {
		t.Errorf("just under the limit: got %v", err)
	}
	vars["VAR_31"] = strings.Repeat("x", MaxConfigValue)

	err := ValidateEnvironment("set", vars)

	for _, want := range []string{"33 config vars", fmt.Sprint(EnvironmentSize(vars)), "the limit is 1048576", "VAR_00 (32784), VAR_01 (32784), VAR_02 (32784)"} {
		if err == nil || CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("over the limit: got %v, want it invalid with %q", err, want)
		}
	}
}
