package docker

import (
	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
)

// The labels of what is deployed, and of the images that are built: a container
// has the labels of its image too, and must not be taken for what the image is of.
const (
	labelPrefix      = "io.github.trueup-go."
	imageLabelPrefix = labelPrefix + "image."

	labelScope    = "scope"
	labelResource = "resource"
	labelRunning  = "running"  // the checksum of what runs
	labelNote     = "note"     // what the host says of it
	labelStopped  = "stopped"  // it is declared not to run
	labelServices = "services" // of a stack: which there should be
	labelTags     = "tags"     // of an image: its names
)

// Mark says whose a thing is and which declaration of it runs. It is kept with
// the thing, in labels.
type Mark struct {
	Scope state.Scope
	Key   state.Key
	// Running is that of the diff.Deploy.
	Running state.Checksum
	// Note is kept with a stack, for the host to read back (StackNotes, SwarmNotes): what
	// it is that runs. It is no place for a secret. May be empty.
	Note string
}

func (m *Mark) validate() error {
	if err := m.Scope.Validate(); err != nil {
		return err
	}
	return m.Key.Validate()
}

// owner are the labels that say whose a thing is.
func (m *Mark) owner(prefix string) map[string]string {
	return map[string]string{
		prefix + labelScope:    m.Scope.String(),
		prefix + labelResource: m.Key.String(),
	}
}

func (m *Mark) labels(prefix string) map[string]string {
	labels := m.owner(prefix)
	labels[prefix+labelRunning] = m.Running.String()
	if m.Note != "" {
		labels[prefix+labelNote] = m.Note
	}
	return labels
}

// running is the checksum in a thing's labels, zero if there is none that we can
// read: somebody else's, or a later version's.
func running(labels map[string]string, prefix string) state.Checksum {
	sum, err := state.ParseChecksum(labels[prefix+labelRunning])
	if err != nil {
		return state.Checksum{}
	}
	return sum
}

// owned filters for what belongs to a scope, or to its one resource.
func owned(prefix string, scope state.Scope, keys ...state.Key) client.Filters {
	filters := client.Filters{}.Add("label", prefix+labelScope+"="+scope.String())
	if len(keys) == 1 {
		filters = filters.Add("label", prefix+labelResource+"="+keys[0].String())
	}
	return filters
}
