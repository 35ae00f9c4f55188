package stats

import "hash/fnv"

// Shards is how many parts the statistics have, each with its own positions:
// 0 to 15 by the app's id, 16 for requests of no app.
const Shards = 17

// NoApp is the id for requests of no app (an unknown host, a request without
// one) in Query.App and Totals.
const NoApp = "-"

// ShardOf is the shard of an app's requests. It never changes: the data in
// Redis depends on it.
func ShardOf(app string) int {
	if app == "" || app == NoApp {
		return Shards - 1
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(app))
	sum := h.Sum32()
	// FNV's low bits see only the low bits of each byte.
	return int((sum ^ sum>>16) % (Shards - 1))
}

// orNoApp is the app's name in keys.
func orNoApp(app string) string {
	if app == "" {
		return NoApp
	}
	return app
}
