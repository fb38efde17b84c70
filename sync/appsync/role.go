package appsync

// Role is the Config of a role and of a break_glass_role: what somebody may do
// in the account that the app is installed in. The resource's Type says for
// what: provision, deprovision, maintenance or custom.
type Role struct {
	CloudPlatform       string       `json:"cloud_platform"`
	DisplayName         string       `json:"display_name"`
	PermissionsBoundary string       `json:"permissions_boundary"`
	EnabledInStack      *bool        `json:"enabled_in_stack"`
	Policies            []RolePolicy `json:"policies" sync:"omitempty"`
}

// RolePolicy is a policy that a role has: a managed one, or Contents of its own.
type RolePolicy struct {
	ManagedPolicyName string   `json:"managed_policy_name"`
	Name              string   `json:"name"`
	Contents          string   `json:"contents"`
	GCPPermissions    []string `json:"gcp_permissions" sync:"omitempty"`
	GCPPredefinedRole string   `json:"gcp_predefined_role"`
	AzureBuiltInRoles []string `json:"azure_built_in_roles" sync:"omitempty"`
	AzureActions      []string `json:"azure_actions" sync:"omitempty"`
}
