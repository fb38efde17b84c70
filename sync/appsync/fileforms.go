package appsync

// The types of this file are what the files say beyond the Config of what they
// declare: what becomes a part of the resource itself, and other ways to write
// the same.

type (
	hasName struct {
		Name string `json:"name"`
	}
	hasType struct {
		Type string `json:"type"`
	}
	hasDescription struct {
		Description string `json:"description"`
	}
	hasDependencies struct {
		Dependencies []string `json:"dependencies"`
	}
	hasSource struct {
		Source string `json:"source"`
	}

	// hasPairs are the [[var]] and [[env_var]] forms of vars and env_vars.
	hasPairs struct {
		Var    []pair `json:"var"`
		EnvVar []pair `json:"env_var"`
	}
	pair struct {
		Name  string `json:"name" sync:"required"`
		Value string `json:"value"`
	}
)

type (
	actionFile struct {
		hasName
		hasDescription
		hasDependencies
		Action
	}
	runbookFile struct {
		hasName
		hasDescription
		Runbook
	}
	installFile struct {
		hasName
		Install
	}
	roleFile struct {
		hasName
		hasType
		hasDescription
		Role
	}
	policyFile struct {
		hasName
		hasType
		Policy
	}
	secretFile struct {
		hasName
		hasDescription
		Secret
	}
	kubernetesContextFile struct {
		hasName
		KubernetesContext
	}
)

type (
	componentFile struct {
		hasName
		hasType
		hasDependencies
		hasSource
		hasPairs
		Value []pair `json:"value"`
		Component

		TerraformModule    *typeTable `json:"terraform_module"`
		HelmChart          *typeTable `json:"helm_chart"`
		KubernetesManifest *typeTable `json:"kubernetes_manifest"`
		DockerBuild        *typeTable `json:"docker_build"`
		ContainerImage     *typeTable `json:"container_image"`
		ExternalImage      *typeTable `json:"external_image"`
		Job                *typeTable `json:"job"`
		Pulumi             *typeTable `json:"pulumi"`
	}
	// typeTable holds fields of a component in a table of its type's name.
	typeTable struct {
		hasPairs
		Value []pair `json:"value"`
		Component
	}
)

type (
	metadataFile struct {
		hasDescription
		Metadata
	}
	sandboxFile struct {
		hasType
		hasSource
		hasPairs
		Sandbox
	}
	runnerFile struct {
		hasSource
		EnvVar []pair `json:"env_var"`
		Runner
	}
	inputsFile struct {
		hasSource
		Sources []string `json:"sources"`
		Inputs
	}
	stackFile struct {
		hasType
		hasDescription
		Stack
	}
	operationRolesFile struct {
		hasType
		OperationRoles
	}
	installerFile struct {
		hasSource
		hasDescription
		Installer
	}
)

// The files that hold many resources.
type (
	permissionsFile struct {
		ProvisionRole   *roleFile  `json:"provision_role"`
		DeprovisionRole *roleFile  `json:"deprovision_role"`
		MaintenanceRole *roleFile  `json:"maintenance_role"`
		CustomRoles     []roleFile `json:"custom_roles"`
		Roles           []roleFile `json:"roles"`
	}
	breakGlassFile struct {
		Role []roleFile `json:"role"`
	}
	policiesFile struct {
		Policy []policyFile `json:"policy"`
	}
	secretsFile struct {
		Secret []secretFile `json:"secret"`
	}
	kubernetesContextsFile struct {
		KubernetesContext []kubernetesContextFile `json:"kubernetes_context"`
	}
)
