package syncertest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// silent checks that no sensitive value is anywhere but in the world.
func (w *walk) silent(a *attempt) error {
	texts := map[string]string{}
	if a.plan != nil {
		raw, err := json.Marshal(a.plan)
		if err != nil {
			return err
		}
		texts["the plan"] = string(raw) + a.plan.String()
	}
	if a.err != nil {
		texts["the error"] = a.err.Error()
	}
	if a.result != nil {
		raw, err := json.Marshal(a.result.Records())
		if err != nil {
			return err
		}
		texts["the result"] = string(raw)
	}
	for _, p := range a.programs {
		raw, err := json.Marshal(p.events)
		if err != nil {
			return err
		}
		texts["an event"] += string(raw)
	}
	for what, text := range texts {
		if err := noSecret(what, text); err != nil {
			return err
		}
	}
	if info, err := os.Stat(w.address); err != nil || !info.IsDir() {
		return nil // the store isn't in files
	}
	return filepath.WalkDir(w.address, func(path string, file fs.DirEntry, err error) error {
		if err != nil || !file.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return noSecret(path, string(text))
	})
}

func noSecret(where, text string) error {
	if at := strings.Index(text, secretMark); at >= 0 {
		return fmt.Errorf("a sensitive value is in %s: …%s…", where, text[max(0, at-80):min(len(text), at+40)])
	}
	return nil
}
