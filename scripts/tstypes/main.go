// Command tstypes writes the shapes that the dashboard reads, from those of
// web/wire, which the OpenAPI document is made of too. A test fails while the
// file is not what it would write.
//
//	go generate ./web/wire
package main

import (
	"flag"
	"fmt"
	"os"
	"reflect"

	"aorta/web/wire"
)

// shapes are what the pages read, by the names that they have there. A shape
// that another one holds and that is not named here keeps its Go name.
var shapes = []shape{
	{"Session", reflect.TypeFor[wire.Session]()},
	{"OwnSession", reflect.TypeFor[wire.OpenSession]()},
	{"Accepted", reflect.TypeFor[wire.Accepted]()},
	{"Hello", reflect.TypeFor[wire.LiveHello]()},
	{"Gone", reflect.TypeFor[wire.LiveGone]()},
	{"Rates", reflect.TypeFor[wire.Rates]()},
	{"Attention", reflect.TypeFor[wire.LiveAttention]()},
	{"LiveNode", reflect.TypeFor[wire.LiveNode]()},
	{"Overview", reflect.TypeFor[wire.LiveOverview]()},
	{"OperationRef", reflect.TypeFor[wire.LiveRef]()},
	{"AppRow", reflect.TypeFor[wire.LiveApp]()},
	{"App", reflect.TypeFor[wire.App]()},
	{"Instance", reflect.TypeFor[wire.Instance]()},
	{"Process", reflect.TypeFor[wire.Process]()},
	{"Node", reflect.TypeFor[wire.Node]()},
	{"Build", reflect.TypeFor[wire.Build]()},
	{"Release", reflect.TypeFor[wire.Release]()},
	{"RollbackPlan", reflect.TypeFor[wire.RollbackPlan]()},
	{"Domain", reflect.TypeFor[wire.Domain]()},
	{"AppDetail", reflect.TypeFor[wire.LiveAppPage]()},
	{"NodeDetail", reflect.TypeFor[wire.LiveNodePage]()},
	{"Plan", reflect.TypeFor[wire.Plan]()},
	{"Job", reflect.TypeFor[wire.Job]()},
	{"JobLine", reflect.TypeFor[wire.JobLogLine]()},
	{"LogLine", reflect.TypeFor[wire.LogLine]()},
	{"Series", reflect.TypeFor[wire.Series]()},
	{"Mark", reflect.TypeFor[wire.SeriesMark]()},
}

func main() {
	path := flag.String("o", "web/dashboard/ui/src/types.ts", "the file to write")
	flag.Parse()
	if err := os.WriteFile(*path, []byte(Generate()), 0o644); err != nil {
		fmt.Fprintf(os.Stderr, "tstypes: %v\n", err)
		os.Exit(1)
	}
}
