package nodewire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
)

func TestShapes_ForgetNoField(t *testing.T) {
	thereAndBack(t, FromHello, Hello.Domain)
	thereAndBack(t, FromWelcome, Welcome.Domain)
	thereAndBack(t, FromReport, Report.Domain)
	thereAndBack(t, FromReportAnswer, ReportAnswer.Domain)
	thereAndBack(t, FromRouterReport, RouterReport.Domain)
	thereAndBack(t, FromInstanceSpec, InstanceSpec.Domain)
	thereAndBack(t, FromBuildSpec, BuildSpec.Domain)
	thereAndBack(t, FromBuildResult, BuildResult.Domain)
	thereAndBack(t, FromEngineImages, DomainEngineImages)
	thereAndBack(t, FromImageFates, ImageFates.Domain)
	thereAndBack(t, FromLogPositions, LogPositions.Domain)
}

// thereAndBack converts a value with every field set, by way of its JSON, and
// one with none.
func thereAndBack[D, W any](t *testing.T, from func(D) W, domain func(W) D) {
	t.Helper()
	var none D
	for _, want := range []D{testkit.Filled[D](t), none} {
		raw, err := json.Marshal(from(want))
		if err != nil {
			t.Fatal(err)
		}
		var read W
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, domain(read)); diff != "" {
			t.Errorf("%T there and back (-want +got):\n%s", want, diff)
		}
	}
}
