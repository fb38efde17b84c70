package appsync

// Policy is the Config of a policy: a rule that what is deployed is held to. The
// resource's Type says what it applies to.
type Policy struct {
	Engine   string `json:"engine"`
	Contents string `json:"contents"`
	// Components names those it applies to; "*" is all of them.
	Components []string `json:"components" sync:"omitempty"`
}
