package heart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// recordStore keeps records on disk, one file each, readable by the owner only
// because they hold config vars.
type recordStore struct{ dir string }

func openRecordStore(dir string) (recordStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return recordStore{}, fmt.Errorf("make the directory of instances: %w", err)
	}
	return recordStore{dir: dir}, nil
}

func (s recordStore) file(id cluster.ID) string { return filepath.Join(s.dir, string(id)+".json") }

func (s recordStore) save(r record) error {
	data, err := json.Marshal(r.file())
	if err != nil {
		return fmt.Errorf("encode instance %s: %w", r.Spec.ID, err)
	}
	return writeFile(s.file(r.Spec.ID), data)
}

func (s recordStore) delete(id cluster.ID) error {
	if err := os.Remove(s.file(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the record of instance %s: %w", id, err)
	}
	return nil
}

// load reads all records. An unreadable one is logged and left in place; its
// container is adopted by its labels.
func (s recordStore) load(log *slog.Logger) ([]record, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("read the recorded instances: %w", err)
	}
	var list []record
	for _, e := range entries {
		name, isRecord := strings.CutSuffix(e.Name(), ".json")
		if !isRecord {
			continue
		}
		data, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		var f recordFile
		if err == nil {
			err = json.Unmarshal(data, &f)
		}
		if err != nil || string(f.Spec.ID) != name {
			log.Error("an instance's record is unreadable; its container is adopted by its labels", "file", filepath.Join(s.dir, e.Name()), "err", err)
			continue
		}
		r := f.record()
		r.mend(time.Now())
		list = append(list, r)
	}
	return list, nil
}
