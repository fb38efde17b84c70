package sync

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"

	"github.com/trueup-go/trueup/state"
)

// noDigest is what stands for a sensitive value in a plan that is made before the
// scope has a key. It is never recorded: Apply makes the key, and plans again.
const noDigest = `"(sensitive)"`

// keyring finds the key of the digests that stand for sensitive values.
type keyring struct {
	mu  sync.Mutex
	key []byte // nil until it is known
	own bool   // it is that of the Options
}

// digestKey returns the key, nil if there is none yet or none is needed.
func (e *Engine) digestKey(ctx context.Context) ([]byte, error) {
	e.keys.mu.Lock()
	defer e.keys.mu.Unlock()
	if !e.kinds.sensitive || e.keys.key != nil {
		return e.keys.key, nil
	}
	keeper, err := e.keeper()
	if err != nil {
		return nil, err
	}
	var key []byte
	err = again(ctx, e.opts.Retries, func() (err error) {
		key, err = keeper.DigestKey(ctx)
		return err
	})
	if err != nil {
		return nil, SyncInternalErr{Description: "read the digest key of " + e.Scope().String(), Err: err}
	}
	e.keys.key = key
	return key, nil
}

// keyToCompare returns the key, or says that it is withheld: then what is sensitive
// can't be compared.
func (e *Engine) keyToCompare(ctx context.Context) (key []byte, withheld bool, err error) {
	key, err = e.digestKey(ctx)
	if errors.Is(err, ErrDigestKeyWithheld) {
		return nil, true, nil
	}
	return key, false, err
}

// knownKey returns the key as far as it is known by now.
func (e *Engine) knownKey() []byte {
	e.keys.mu.Lock()
	defer e.keys.mu.Unlock()
	return e.keys.key
}

// makeDigestKey has the backend keep a key, unless it has one.
func (e *Engine) makeDigestKey(ctx context.Context) error {
	e.keys.mu.Lock()
	defer e.keys.mu.Unlock()
	keeper, err := e.keeper()
	if err != nil {
		return err
	}
	key := make([]byte, sha256.Size)
	if _, err := rand.Read(key); err != nil {
		return SyncInternalErr{Description: "make a digest key", Err: err}
	}
	err = again(ctx, e.opts.Retries, func() (err error) {
		e.keys.key, err = keeper.KeepDigestKey(ctx, key)
		return err
	})
	if err != nil {
		return SyncInternalErr{Description: "keep the digest key of " + e.Scope().String(), Err: err}
	}
	return nil
}

func (e *Engine) keeper() (DigestKeeper, error) {
	keeper, ok := AbilityOf[DigestKeeper](e.backend)
	if !ok {
		return nil, SyncInternalErr{
			Description: "a kind has sensitive fields and this backend keeps no digest key: set Options.DigestKey",
			Err:         errors.ErrUnsupported,
		}
	}
	return keeper, nil
}

// concealer puts digests in the place of sensitive values.
type concealer struct {
	kinds *KindSet
	key   []byte // nil: there is none yet
}

// conceal returns a resource's Config as it is recorded and shown.
func (c *concealer) conceal(r *state.Resource) json.RawMessage {
	return c.concealConfig(r.Kind, r.Config, r.Unmanaged)
}

func (c *concealer) concealConfig(kind string, config json.RawMessage, unmanaged []string) json.RawMessage {
	return c.kinds.Schema(kind).Conceal(config, unmanaged, func(path string, value json.RawMessage) json.RawMessage {
		return c.digest(kind, path, value)
	})
}

// digest is over kind, path and value: not over the name, so that a resource that
// moves keeps it. The kind's and the path's lengths keep them apart.
func (c *concealer) digest(kind, path string, value json.RawMessage) json.RawMessage {
	if c.key == nil {
		return json.RawMessage(noDigest)
	}
	mac := hmac.New(sha256.New, c.key)
	for _, part := range [][]byte{[]byte(kind), []byte(path), value} {
		sum := sha256.Sum256(part)
		mac.Write(sum[:])
	}
	return json.RawMessage(`"hmac-sha256:` + hex.EncodeToString(mac.Sum(nil)) + `"`)
}
