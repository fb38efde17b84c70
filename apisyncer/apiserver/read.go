package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/sync"
)

func unsupported(what string) error { return fmt.Errorf("%s: %w", what, errors.ErrUnsupported) }

func (s *Server) head(x *exchange) error {
	head, err := x.backend.Head(x.Context())
	if err != nil {
		return err
	}
	own := wire.HeadOf(head)
	if keeper, ok := sync.AbilityOf[sync.DigestKeeper](x.backend); ok && x.URL.Query().Has("key") {
		key, err := keeper.DigestKey(x.Context())
		switch {
		case err != nil:
			return err
		case x.mayWrite():
			own.DigestKey = key
		default:
			own.KeyWithheld = len(key) > 0
		}
	}
	return x.write(own)
}

func (s *Server) records(x *exchange) error {
	return x.stream(func(yield func(*wire.Line) error) error {
		for r, err := range x.backend.Records(x.Context()) {
			if err != nil {
				return err
			}
			if err := yield(&wire.Line{Record: &r}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Server) declared(x *exchange) error {
	var asked wire.Declared
	if err := x.read(&asked); err != nil {
		return err
	}
	found, err := x.backend.Declared(x.Context(), asked.Checksums)
	if err != nil {
		return err
	}
	return x.stream(func(yield func(*wire.Line) error) error {
		for _, sum := range asked.Checksums {
			if r, ok := found[sum]; ok {
				delete(found, sum)
				if err := yield(&wire.Line{Resource: &r}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Server) history(x *exchange) error {
	historian, ok := sync.AbilityOf[sync.Historian](x.backend)
	if !ok {
		return unsupported("history")
	}
	return x.stream(func(yield func(*wire.Line) error) error {
		for head, err := range historian.History(x.Context()) {
			if err != nil {
				return err
			}
			own := wire.HeadOf(head)
			if err := yield(&wire.Line{Head: &own}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Server) stateAt(x *exchange) error {
	historian, ok := sync.AbilityOf[sync.Historian](x.backend)
	if !ok {
		return unsupported("history")
	}
	serial, err := strconv.ParseInt(x.PathValue("serial"), 10, 64)
	if err != nil {
		return badRequest("a serial is a number")
	}
	head, records, err := historian.StateAt(x.Context(), serial)
	if err != nil {
		return err
	}
	return x.stream(func(yield func(*wire.Line) error) error {
		own := wire.HeadOf(head)
		if err := yield(&wire.Line{Head: &own}); err != nil {
			return err
		}
		for r, err := range records {
			if err != nil {
				return err
			}
			if err := yield(&wire.Line{Record: &r}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Server) observe(x *exchange) error {
	observer, ok := sync.AbilityOf[sync.Observer](x.backend)
	if !ok {
		return unsupported("to observe")
	}
	var asked wire.Observe
	if err := x.read(&asked); err != nil {
		return err
	}
	lives := observer.Observe(x.Context(), asked.Records)
	return x.stream(func(yield func(*wire.Line) error) error {
		for _, live := range lives {
			if err := yield(&wire.Line{Live: &wire.Live{ID: live.ID, Config: live.Config, Problem: wire.ProblemOf(live.Err)}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Server) digestKey(x *exchange) error {
	keeper, ok := sync.AbilityOf[sync.DigestKeeper](x.backend)
	if !ok {
		return unsupported("a digest key")
	}
	key, err := keeper.DigestKey(x.Context())
	if err != nil {
		return err
	}
	return x.write(wire.DigestKey{Key: key})
}

func (s *Server) keepDigestKey(x *exchange) error {
	keeper, ok := sync.AbilityOf[sync.DigestKeeper](x.backend)
	if !ok {
		return unsupported("a digest key")
	}
	var asked wire.DigestKey
	if err := x.read(&asked); err != nil {
		return err
	}
	if len(asked.Key) == 0 {
		return badRequest("a digest key that is empty")
	}
	kept, err := keeper.KeepDigestKey(x.Context(), asked.Key)
	if err != nil {
		return err
	}
	return x.write(wire.DigestKey{Key: kept})
}

func (s *Server) holder(x *exchange) error {
	unlocker, ok := sync.AbilityOf[sync.Unlocker](x.backend)
	if !ok {
		return unsupported("to unlock")
	}
	holder, err := unlocker.Holder(x.Context())
	if err != nil {
		return err
	}
	return x.write(wire.Lease{Holder: wire.HolderOf(holder)})
}

func (s *Server) unlock(x *exchange) error {
	unlocker, ok := sync.AbilityOf[sync.Unlocker](x.backend)
	if !ok {
		return unsupported("to unlock")
	}
	var asked wire.Lease
	if err := x.read(&asked); err != nil {
		return err
	}
	if err := unlocker.Unlock(x.Context(), asked.Holder.Locked(x.scope)); err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}
