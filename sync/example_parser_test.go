package sync_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// Ports are a list, and may be declared as text: a port a line.
type Ports []string

func (Ports) ParseDeclared(value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil // a list already, or a mistake that the Schema reports
	}
	ports := Ports{}
	for i, line := range strings.Split(text, "\n") {
		if strings.Contains(line, " ") {
			return nil, diff.FieldError{Line: i + 1, Problem: "want one port"}
		}
		ports = append(ports, line)
	}
	return ports, nil
}

func (Ports) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }

func (Ports) FormatDeclared(value any) any {
	var lines []string
	for _, port := range value.([]any) {
		lines = append(lines, port.(string))
	}
	return strings.Join(lines, "\n")
}

func ExampleParser() {
	type Service struct {
		Ports Ports `toml:"ports" sync:"alias=port"`
	}
	kinds := sync.Kinds(sync.Define[Service]("service"))
	service, _ := kinds.Kind("service")
	for _, declared := range []string{`{"ports":["80","443"]}`, `{"port":"80\n443"}`, `{"ports":"80 443"}`} {
		config, mistakes, _ := service.Canonical(json.RawMessage(declared), false)
		fmt.Println(string(config), mistakes)
	}
	fmt.Println(string(service.Format(json.RawMessage(`{"ports":["80","443"]}`))))
	// Output:
	// {"ports":["80","443"]} []
	// {"ports":["80","443"]} []
	//  [ports: line 1: want one port]
	// {"ports":"80\n443"}
}
