package diff

// ImmutableFields returns those of the fields that are in or below an immutable
// field of the schema: where there is one the thing can't be updated, it is
// replaced. Paths are as in Fields; only those within "config" can be found. It
// returns nil if there are none; a nil Schema has none. The fields' values are not
// looked at: drift counts as well as an edit, a sensitive field too, and so does
// an element that is added to a list with an immutable field in it.
func (s *Schema) ImmutableFields(fields []Field) []Field {
	if !s.has(isImmutable) {
		return nil
	}
	var found []Field
	for _, f := range fields {
		if s.immutable(f.Path) {
			found = append(found, f)
		}
	}
	return found
}

func isImmutable(f *SchemaField) bool { return f.Immutable }

// immutable tells whether a path is in or below an immutable field.
func (s *Schema) immutable(path string) bool {
	steps, _ := parsePath(path)
	if len(steps) < 2 || steps[0].name != "config" {
		return false
	}
	shape := &Value{Type: Object, Object: s}
	for _, step := range steps[1:] {
		if step.index >= 0 {
			shape = shape.elem()
			continue
		}
		var field *SchemaField
		if field, shape = shape.member(step.name); field != nil && field.Immutable {
			return true
		}
	}
	return false
}
