package kinds

// Procedure runs executions: its stages one after the other, those of a stage at
// once.
type Procedure struct {
	Meta
	Stages []Stage `json:"stages" sync:"alias=stage,omitempty"`
	Scheduled
	Webhook
}

// Stage is a step of a Procedure.
type Stage struct {
	Name       string             `json:"name"`
	Enabled    bool               `json:"enabled" sync:"default=true"`
	Executions []EnabledExecution `json:"executions" sync:"alias=execution,omitempty"`
}

// EnabledExecution is an Execution that can be turned off.
type EnabledExecution struct {
	Execution Execution `json:"execution" sync:"required"`
	Enabled   bool      `json:"enabled" sync:"default=true"`
}
