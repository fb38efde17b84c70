package appsync

import "slices"

// AppComponentType says what a component is made with. It is the Type of the
// component's resource.
type AppComponentType string

// The types of components. In a file, "container_image" is another name of
// external_image.
const (
	TerraformModule    AppComponentType = "terraform_module"
	HelmChart          AppComponentType = "helm_chart"
	KubernetesManifest AppComponentType = "kubernetes_manifest"
	DockerBuild        AppComponentType = "docker_build"
	ExternalImage      AppComponentType = "external_image"
	Job                AppComponentType = "job"
	Pulumi             AppComponentType = "pulumi"
)

// containerImage is the name under which most files know ExternalImage.
const containerImage = "container_image"

// ParseAppComponentType returns the type that a file calls so, and whether
// there is one.
func ParseAppComponentType(name string) (AppComponentType, bool) {
	switch t := AppComponentType(name); t {
	case TerraformModule, HelmChart, KubernetesManifest, DockerBuild, ExternalImage, Job, Pulumi:
		return t, true
	case containerImage:
		return ExternalImage, true
	}
	return "", false
}

// typeNames returns what a file can call a type, in order.
func typeNames() []string {
	names := []string{containerImage}
	for t := range typeFields() {
		names = append(names, string(t))
	}
	slices.Sort(names)
	return names
}

// fieldTypes returns the types whose components can have a field, in order, for
// every field that not all can have.
func fieldTypes() map[string][]string {
	types := map[string][]string{}
	for t, fields := range typeFields() {
		for _, field := range fields {
			types[field] = append(types[field], string(t))
		}
	}
	for _, names := range types {
		slices.Sort(names)
	}
	return types
}

// typeFields returns the fields that only components of some types can have.
func typeFields() map[AppComponentType][]string {
	repo := []string{"public_repo", "connected_repo"}
	timeouts := []string{"build_timeout", "deploy_timeout"}
	run := slices.Concat(timeouts, []string{"max_auto_retries", "skip_noops", "auto_approve_on_policies_passing"})
	env := []string{"env_vars", "env_var"}
	return map[AppComponentType][]string{
		TerraformModule:    slices.Concat(repo, run, env, []string{"terraform_version", "vars", "var", "var_file", "drift_schedule"}),
		HelmChart:          slices.Concat(repo, run, []string{"chart_name", "namespace", "storage_driver", "take_ownership", "values", "value", "values_file", "helm_repo", "drift_schedule"}),
		KubernetesManifest: slices.Concat(repo, run, []string{"manifest", "namespace", "kustomize", "drift_schedule"}),
		DockerBuild:        slices.Concat(repo, run, []string{"dockerfile", "env_vars"}),
		ExternalImage:      slices.Concat(timeouts, []string{"public", "aws_ecr", "gcp_gar", "azure_acr", "max_auto_retries"}),
		Job:                slices.Concat(timeouts, env, []string{"image_url", "tag", "cmd", "args"}),
		Pulumi:             slices.Concat(repo, run, []string{"runtime", "pulumi_version", "config", "env_vars", "drift_schedule"}),
	}
}
