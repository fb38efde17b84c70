package main

import "sync"

// memo makes a value for a key once, however many ask for it. It is safe for
// concurrent use; its zero value is empty.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	makes map[K]func() (V, error)
}

// get returns what make returned the first time that the key was asked for.
func (m *memo[K, V]) get(key K, make func() (V, error)) (V, error) {
	m.mu.Lock()
	once, ok := m.makes[key]
	if !ok {
		if m.makes == nil {
			m.makes = map[K]func() (V, error){}
		}
		once = sync.OnceValues(make)
		m.makes[key] = once
	}
	m.mu.Unlock()
	return once()
}
