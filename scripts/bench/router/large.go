package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// large measures bodies of a size through both proxies, down and up, by turns.
func (l *lab) large(ctx context.Context, o options) error {
	for _, way := range []struct{ name, method string }{{"down", http.MethodGet}, {"up", http.MethodPut}} {
		var static, router []carried
		for range o.largeRounds {
			a, err := l.carry(ctx, l.staticURL, way.method, o.large)
			if err != nil {
				return err
			}
			b, err := l.carry(ctx, l.routerURL, way.method, o.large)
			if err != nil {
				return err
			}
			static, router = append(static, a), append(router, b)
			fmt.Printf("%d MB %-4s  static %5.0f MB/s %5.2f s/GB   router %5.0f MB/s %5.2f s/GB\n",
				o.large/1e6, way.name, a.pace/1e6, a.cpu, b.pace/1e6, b.cpu)
		}
		reportLarge(way.name, static, router)
	}
	return nil
}

// reportLarge compares each body with its neighbour, as report does.
func reportLarge(way string, static, router []carried) {
	ratio := func(of func(carried) float64) float64 {
		ratios := make([]float64, len(static))
		for i := range ratios {
			ratios[i] = of(router[i]) / of(static[i])
		}
		slices.Sort(ratios)
		return ratios[len(ratios)/2]
	}
	var memory, written int64
	for _, r := range router {
		memory, written = max(memory, r.memory), max(written, r.written)
	}
	fmt.Printf("%-4s router/static ratio %.3f (bytes per second, median of the rounds' ratios)\n", way, ratio(func(c carried) float64 { return c.pace }))
	fmt.Printf("%-4s static/router ratio %.3f (processor time of the proxy per byte, likewise)\n", way, 1/ratio(func(c carried) float64 { return c.cpu }))
	fmt.Printf("%-4s each body took at most %.1f MB more of the router's memory, and %.1f MB of files\n",
		way, float64(memory)/1e6, float64(written)/1e6)
}
