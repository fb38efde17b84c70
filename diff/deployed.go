package diff

import "encoding/json"

// Deployed returns a canonical Config without the fields that don't matter to what
// runs; the Config itself if there are none. A nil Schema knows of none.
func (s *Schema) Deployed(config json.RawMessage) json.RawMessage {
	if s == nil {
		return config
	}
	var remove *edits
	for i := range s.Fields {
		if s.Fields[i].NoDeploy {
			if remove == nil {
				remove = &edits{}
			}
			remove.add(Member("", s.Fields[i].Name), nil)
		}
	}
	if remove == nil {
		return config
	}
	var r rewriter
	return r.rewrite(config, nil, remove)
}
