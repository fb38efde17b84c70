package appsync

import (
	"fmt"

	"github.com/trueup-go/trueup/diff"
)

// fold turns the [[var]] tables of a part into [vars], and the like.
func (b *builder) fold(p *part) {
	for from, to := range map[string]string{"var": "vars", "env_var": "env_vars", "value": "values"} {
		list, ok := p.table[from].([]any)
		if !ok || b.def.form.Field(from) == nil {
			continue
		}
		into, _ := p.table[to].(map[string]any)
		if into == nil {
			into = map[string]any{}
		}
		for i, element := range list {
			pair, _ := element.(map[string]any)
			name, _ := pair["name"].(string)
			if _, twice := into[name]; twice {
				b.mistake(p.position(diff.Index(from, i)+".name"), fmt.Sprintf("%s is set twice", name), "keep one of them")
			}
			if into[name] = pair["value"]; into[name] == nil {
				into[name] = ""
			}
		}
		p.table[to], p.config = into, nil
		delete(p.table, from)
	}
}
