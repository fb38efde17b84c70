package appsync

// Inputs is the Config of inputs/inputs: everything that an app asks of those
// who install it. Their order is that in which they are asked.
type Inputs struct {
	Group []InputGroup `json:"group" sync:"omitempty"`
	Input []Input      `json:"input" sync:"omitempty"`
}

// InputGroup is inputs that are asked together.
type InputGroup struct {
	Name        string `json:"name" sync:"required"`
	Description string `json:"description"`
	DisplayName string `json:"display_name"`
}

// Input is one thing that is asked.
type Input struct {
	Name        string `json:"name" sync:"required"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	Group       string `json:"group"`
	// Default is any value: that of a Sensitive input stands in SensitiveDefault,
	// which is never shown.
	Default          any    `json:"default"`
	SensitiveDefault any    `json:"sensitive_default" sync:"sensitive"`
	Required         bool   `json:"required"`
	Sensitive        bool   `json:"sensitive"`
	Type             string `json:"type"`
	Internal         bool   `json:"internal"`
	UserConfigurable bool   `json:"user_configurable"`
}
