package envsyncer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/trueup-go/trueup/state"
)

// unwritten is what the files lack of a commit: it counts once the sidecar has the
// commit, until the files have the versions.
type unwritten struct {
	Serial int64           `json:"serial"`
	Root   state.Checksum  `json:"root"`
	Lines  map[string]line `json:"lines"` // by domain
}

// line is a version before and after a commit.
type line struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// readUnwritten returns what counts at a head; without lines if nothing does.
func (b *Backend) readUnwritten(head *state.Head) (unwritten, error) {
	text, err := os.ReadFile(b.own(unwrittenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return unwritten{}, nil
	}
	if err != nil {
		return unwritten{}, err
	}
	var u unwritten
	if err := json.Unmarshal(text, &u); err != nil {
		return unwritten{}, fmt.Errorf("%s is damaged, and no crash does that: remove it: %w", b.own(unwrittenFile), err)
	}
	if u.Serial != head.Serial || u.Root != head.Root {
		return unwritten{}, nil // of a commit that never came about
	}
	return u, nil
}
