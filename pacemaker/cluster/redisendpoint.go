package cluster

// RedisEndpoint is an address and the caller's own user there. It holds a secret:
// it travels to its own node alone.
type RedisEndpoint struct {
	Network  string // "unix" or "tcp"
	Addr     string // a path or host:port; of a Redis Cluster one or more, with commas between
	User     string // empty: the default user
	Password string
	DB       int  // database; a Redis Cluster has 0 alone
	Cluster  bool // Addr are members of a Redis Cluster, which name the others
	TLS      bool
	CA       string // PEM of who must have signed its certificate; empty: whom the system trusts
	Name     string // whom that must be made out to; empty: the host in the address
}
