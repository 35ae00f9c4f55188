package cluster

// RedisDoor is an address and the caller's own user there. It holds a secret:
// it travels to its own node alone.
type RedisDoor struct {
	Network  string `json:"network"` // "unix" or "tcp"
	Addr     string `json:"addr"`    // a path or host:port; of a Redis Cluster one or more, with commas between
	User     string `json:"user"`    // empty: the default user
	Password string `json:"password"`
	DB       int    `json:"db,omitempty"`      // database; a Redis Cluster has 0 alone
	Cluster  bool   `json:"cluster,omitempty"` // Addr are members of a Redis Cluster, which name the others
	TLS      bool   `json:"tls,omitempty"`     // the certificate must be made out to the host in the address
	CA       string `json:"ca,omitempty"`      // PEM of who must have signed it; empty: whom the system trusts
}
