package cluster

// CheckEpoch refuses to go on with somebody who has seen a higher epoch than
// the pacemaker's own: its state is older than the cluster.
func CheckEpoch(who string, seen, own uint64) error {
	if seen <= own {
		return nil
	}
	return Unavailable("%s has seen epoch %d, this pacemaker has %d: restart aortad so that it takes a higher one", who, seen, own)
}
