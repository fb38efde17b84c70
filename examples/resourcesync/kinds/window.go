package kinds

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trueup-go/trueup/diff"
)

// MaintenanceWindow is a time without alerts.
type MaintenanceWindow struct {
	Name         string `json:"name" sync:"required"`
	Description  string `json:"description"`
	ScheduleType string `json:"schedule_type" sync:"default=Daily,oneof=Daily|Weekly|OneTime"`
	DayOfWeek    Day    `json:"day_of_week" sync:"oneof=Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"`
	Date         string `json:"date"` // of a OneTime window: 2006-01-02
	Hour         int    `json:"hour"`
	Minute       int    `json:"minute"`
	// DurationMinutes is how long it takes.
	DurationMinutes int    `json:"duration_minutes" sync:"required"`
	Timezone        string `json:"timezone"`
	Enabled         bool   `json:"enabled" sync:"default=true"`
}

// ParseDeclared implements sync.Parser: it checks the time.
func (MaintenanceWindow) ParseDeclared(value any) (any, error) {
	table, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	var errs []error
	for _, part := range [...]struct {
		name        string
		least, most int64
	}{{"duration_minutes", 1, 1<<31 - 1}, {"hour", 0, 23}, {"minute", 0, 59}} {
		if n, ok := table[part.name].(int64); ok && (n < part.least || n > part.most) {
			errs = append(errs, diff.FieldError{Path: part.name, Problem: fmt.Sprintf("want %d to %d, found %d", part.least, part.most, n)})
		}
	}
	if date, ok := table["date"].(string); ok && date != "" {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			errs = append(errs, diff.FieldError{Path: "date", Problem: "want a date like 2006-01-02"})
		}
	}
	return value, errors.Join(errs...)
}

// DeclaredForms implements sync.Former: there are no others.
func (MaintenanceWindow) DeclaredForms() []diff.Value { return nil }

// Day is a day of the week, also declared as "mon" or "monday".
type Day string

// ParseDeclared implements sync.Parser.
func (Day) ParseDeclared(value any) (any, error) {
	text, ok := value.(string)
	if !ok || len(text) < len("Mon") {
		return value, nil
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := day.String(); strings.HasPrefix(strings.ToLower(name), strings.ToLower(text)) {
			return name, nil
		}
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (Day) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }
