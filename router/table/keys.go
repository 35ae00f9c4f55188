package table

// Every key of the routes Redis. All lie on one master, so that one script can
// write them together; nothing else is kept there.
const (
	// metaKey is a hash: cluster, epoch, generation and seq of what is
	// published; began, the pair under which seq began to count; owner and owner_epoch of who may publish. Written by the
	// publisher, read by everyone, kept for ever.
	metaKey = "routes:meta"

	// recordPrefix + host name is a string: the record's JSON, or a tombstone
	// {"host","gone":true,"epoch","generation","at"}. Written by the publisher,
	// read by routers and balancers; a tombstone is kept for one day.
	recordPrefix = "routes:r:"

	// changesKey is a sorted set of host name -> the sequence (meta's seq, which
	// never falls) of its last change. It names every record and tombstone, so
	// reading it from 0 is a whole load. Written by the publisher, read by
	// routers; a name goes with its tombstone.
	changesKey = "routes:changes"

	// ChangedChannel carries a message per publish: {"cluster","epoch",
	// "generation","seq","names"}. It only wakes; names is empty where there
	// are too many of them.
	ChangedChannel = "routes:changed"
)

func recordKey(host string) string { return recordPrefix + host }
