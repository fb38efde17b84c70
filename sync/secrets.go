package sync

import (
	"encoding/json"
	"errors"
)

// redactor returns what keeps all sensitive values of the declaration out of what
// others say: whoever has seen one may quote it wherever he is asked next. It is
// nil if there are none, or no declaration.
func (d *declaration) redactor(kinds *KindSet) *redactor {
	if d == nil || !kinds.sensitive {
		return nil
	}
	d.redactorOnce.Do(func() {
		var secrets []json.RawMessage
		for i := range d.declared {
			secrets = kinds.kind(d.declared[i].Resource.Kind).secrets(secrets, d.plain[i])
		}
		d.theirRedactor = newRedactor(secrets)
	})
	return d.theirRedactor
}

// secrets appends the sensitive values in a canonical Config.
func (k *Kind) secrets(dst []json.RawMessage, config json.RawMessage) []json.RawMessage {
	for _, value := range k.Schema.Secrets(config) {
		dst = append(dst, value)
	}
	return dst
}

// errHidden stands for what is wrong with a value in which sensitive ones can't be
// found, since it has no canonical form.
var errHidden = errors.New("a value without a canonical form (more is not shown, since it may be sensitive)")

// hidden returns the error of reading a value of the kind, without a quotation of
// what may be sensitive.
func (k *Kind) hidden(err error) error {
	if err != nil && k.Schema.HasSensitive() {
		return errHidden
	}
	return err
}
