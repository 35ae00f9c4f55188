package redisd

// Rules of the ACL users that the parts of a cluster log in as. Whoever logs in
// may always AUTH, HELLO, QUIT and RESET.
const (
	// ReplicaRules let a server follow another one, and nothing else. It reads
	// all of the data that way.
	ReplicaRules = "+psync +replconf +ping"

	// RouterRules let a router read the routing table from its own replica, and
	// hear of changes.
	RouterRules = "~routes:* &routes:* +get +mget +hget +hmget +hgetall +zrange +zrangebyscore" +
		" +multi +exec +discard +subscribe +unsubscribe +ping +info"
)
