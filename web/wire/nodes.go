package wire

import "time"

// NewJoinToken asks for a token that nodes join with.
type NewJoinToken struct {
	Name    string            `json:"name,omitempty" doc:"of the node; empty: the node says"`
	Roles   []string          `json:"roles,omitempty" doc:"of the nodes; none: the node says"`
	Tags    map[string]string `json:"tags,omitempty" doc:"set on the nodes"`
	Uses    int               `json:"uses,omitempty" doc:"how many nodes may join by it; 1 by default"`
	Expires string            `json:"expires,omitempty" doc:"for how long it can be used, such as 1h or 7d; 1h by default"`
}

// JoinToken lets nodes join.
type JoinToken struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Roles     []string          `json:"roles"`
	Tags      map[string]string `json:"tags"`
	Uses      int               `json:"uses"`
	Used      int               `json:"used"`
	CreatedBy string            `json:"created_by"`
	CreatedAt time.Time         `json:"created_at"`
	ExpiresAt time.Time         `json:"expires_at"`
}

// JoinTokenCreated holds the token's text, shown this once.
type JoinTokenCreated struct {
	JoinToken
	Token     string `json:"token"`
	Command   string `json:"command" doc:"what to type on the machine, without the token"`
	Reachable bool   `json:"reachable" doc:"false: the nodes' API listens on this machine alone"`
}

// NodeRemoved says what is left on the machine of a node that was removed.
type NodeRemoved struct {
	Name      string   `json:"name"`
	Address   string   `json:"address"`
	Instances []string `json:"instances" doc:"containers that may still run there"`
}

// NodeTags changes the tags that are set on a node.
type NodeTags struct {
	Tags map[string]string `json:"tags" doc:"an empty value takes a tag away"`
}
