package planhtml

import (
	"bufio"
	_ "embed" // the page and its style
	"fmt"
	"html/template"
	"io"

	"github.com/trueup-go/trueup/sync"
)

var (
	//go:embed assets/pico.min.css
	pico string
	//go:embed assets/page.css
	style string
	//go:embed assets/page.gohtml
	page string
)

// Options are for Write. The zero value and nil mean every default.
type Options struct {
	// Title is what the page is called. Defaults to "Plan of ORG/APP".
	Title string
	// Warnings are shown before those of the plan: the declaration's.
	Warnings []sync.Warning
}

// Write writes a plan as one HTML page. The options may be nil. The same plan makes
// the same page, byte by byte. The error is w's.
func Write(w io.Writer, plan *sync.Plan, opts *Options) error {
	if opts == nil {
		opts = &Options{}
	}
	parsed, err := template.New("page").Parse(page)
	if err != nil {
		return fmt.Errorf("the plan's page: %w", err)
	}
	view := viewOf(plan, opts)
	view.Style = template.CSS(pico + "\n" + style) // both are our own
	buffered := bufio.NewWriter(w)
	if err := parsed.Execute(buffered, view); err != nil {
		return fmt.Errorf("write the plan's page: %w", err)
	}
	return buffered.Flush()
}
