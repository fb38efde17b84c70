package envsyncer

// NewStepping is New, but calls step before and after whatever is done to a file.
func NewStepping(dir string, sidecar Sidecar, opts *Options, step func(string)) (*Backend, error) {
	b, err := New(dir, sidecar, opts)
	if err == nil {
		b.step = step
	}
	return b, err
}
