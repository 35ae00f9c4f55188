package stats

// frozenBounds: how many buckets, and the lowest ms of some.
var frozenBounds = []uint32{0}
