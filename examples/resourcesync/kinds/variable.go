package kinds

import "github.com/trueup-go/trueup/diff"

// Variable is what stands for [[NAME]] in texts. It is declared as {value,
// is_secret}; the value of a secret is recorded apart, since it alone is
// sensitive: the value of any other is shown in plans.
type Variable struct {
	Value    string `json:"value"`
	Secret   string `json:"secret" sync:"sensitive"`
	IsSecret bool   `json:"is_secret"`
}

// ParseDeclared implements sync.Parser: it puts the value of a secret where it is
// sensitive.
func (Variable) ParseDeclared(value any) (any, error) {
	table, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	_, hasSecret := table["secret"]
	plain, hasValue := table["value"]
	switch {
	case table["is_secret"] != true && hasSecret:
		return nil, diff.FieldError{Path: "secret", Problem: "is the value of a variable that is none", Hint: "write value, and is_secret = true"}
	case table["is_secret"] != true || !hasValue:
		return value, nil
	case hasSecret:
		return nil, diff.FieldError{Path: "secret", Problem: "is a second value", Hint: "leave it out"}
	}
	delete(table, "value")
	table["secret"] = plain
	return table, nil
}

// DeclaredForms implements sync.Former: there are no others.
func (Variable) DeclaredForms() []diff.Value { return nil }
