package appsync

// Install is the Config of an install: the app in one customer's account.
type Install struct {
	ApprovalOption string            `json:"approval_option"`
	Labels         map[string]string `json:"labels" sync:"omitempty"`
	AWSAccount     AWSAccount        `json:"aws_account"`
	GCPAccount     GCPAccount        `json:"gcp_account"`
	AzureAccount   AzureAccount      `json:"azure_account"`
	// Inputs are the values of the app's inputs, in tables of any grouping; the
	// name "group" is the table's own. Those of inputs that the app declares to be
	// sensitive stand in SensitiveInputs, which are never shown.
	Inputs          []map[string]string `json:"inputs" sync:"omitempty"`
	SensitiveInputs []map[string]string `json:"sensitive_inputs" sync:"omitempty,sensitive"`
	StackOverrides  StackOverrides      `json:"stack_overrides"`
	// ComponentToggles and Components are by the names of components.
	ComponentToggles map[string]bool              `json:"component_toggles" sync:"omitempty"`
	Components       map[string]ComponentOverride `json:"components" sync:"omitempty"`
}

// AWSAccount is where an install runs at Amazon.
type AWSAccount struct {
	Region string `json:"region"`
}

// GCPAccount is where an install runs at Google.
type GCPAccount struct {
	ProjectID string `json:"project_id"`
	Region    string `json:"region"`
}

// AzureAccount is where an install runs at Azure.
type AzureAccount struct {
	Location string `json:"location"`
}

// StackOverrides are what an install changes of the app's stack.
type StackOverrides struct {
	Type        string `json:"type"`
	Description string `json:"description"`
	Stack
}

// ComponentOverride is what an install changes of a component.
type ComponentOverride struct {
	HelmValues string `json:"helm_values"`
	TFVars     string `json:"tf_vars"`
}
