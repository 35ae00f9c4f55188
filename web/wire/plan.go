package wire

// Plan is what a change would do, by what is known now. Asking changes nothing.
type Plan struct {
	Changes bool          `json:"changes" doc:"something would be another than it is"`
	Steps   []PlanStep    `json:"steps"`
	Missing []PlanMissing `json:"missing" doc:"what would find no node; a change of process types would fail by it and be taken back, a drain would wait for room"`
	Refused []PlanRefused `json:"refused" doc:"the nodes that would get none of what starts"`
	Last    bool          `json:"last,omitempty" doc:"of a drain: no other node takes instances; until one does, deploys and what else starts any fail"`
}

// PlanStep is an instance that would start or stop.
type PlanStep struct {
	Action    string `json:"action" enum:"start,stop" doc:"what stops does so once what replaces it serves"`
	App       string `json:"app"`
	Type      string `json:"type"`
	Node      string `json:"node"`
	Instance  string `json:"instance,omitempty" doc:"id of what stops"`
	Exclusive bool   `json:"exclusive,omitempty" doc:"it stops before what replaces it starts: it is interrupted"`
}

// PlanMissing is what of a process type would find no node.
type PlanMissing struct {
	App    string `json:"app"`
	Type   string `json:"type"`
	Count  int    `json:"count"`
	Reason string `json:"reason"`
}

// PlanRefused is why a node would get no instance of a process type.
type PlanRefused struct {
	App    string `json:"app"`
	Type   string `json:"type"`
	Node   string `json:"node"`
	Reason string `json:"reason"`
}
