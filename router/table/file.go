package table

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"aorta/router"
)

// fileHead is the first line of a table's file; each line below is a record.
type fileHead struct {
	Cluster string `json:"cluster"`
	router.Pair
}

// SaveTable writes the table that a router accepted last, so that it can serve
// by it after a restart on which its replica came back empty. The file is
// replaced in one step and readable by its owner alone.
func SaveTable(path, cluster string, pair router.Pair, table router.Table) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp*")
	if err != nil {
		return fmt.Errorf("save the routing table: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the routing table: %w", errors.Join(err, tmp.Close(), os.Remove(tmp.Name())))
		}
	}()
	buffer := bufio.NewWriter(tmp)
	if err := json.NewEncoder(buffer).Encode(fileHead{Cluster: cluster, Pair: pair}); err != nil {
		return err
	}
	for _, host := range slices.Sorted(maps.Keys(table)) {
		text, err := json.Marshal(table[host])
		if err != nil {
			return err
		}
		// The buffer keeps its first error for Flush.
		_, _ = buffer.Write(append(salted(host, text), '\n'))
	}
	if err := errors.Join(buffer.Flush(), tmp.Sync()); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// LoadTable reads what SaveTable wrote. A file of another cluster is refused
// with ErrForeign; a broken record gives a *BrokenError with all the others.
func LoadTable(path, cluster string) (router.Table, router.Pair, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, router.Pair{}, fmt.Errorf("load the routing table: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, router.MaxRecordBytes+1)
	var head fileHead
	lines.Scan()
	if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
		return nil, router.Pair{}, fmt.Errorf("load the routing table from %s: first line: %w", path, err)
	}
	if head.Cluster != cluster {
		return nil, router.Pair{}, fmt.Errorf("load the routing table from %s: %w", path, ErrForeign)
	}
	table := make(router.Table)
	broken := make(map[string]error)
	for number := 2; lines.Scan(); number++ {
		r, err := router.ParseRecord(lines.Bytes())
		if err != nil {
			broken[fmt.Sprintf("line %d", number)] = err
			continue
		}
		table[r.Host] = r
	}
	if err := lines.Err(); err != nil {
		return nil, router.Pair{}, fmt.Errorf("load the routing table from %s: %w", path, err)
	}
	if len(broken) > 0 {
		return table, head.Pair, &BrokenError{Causes: broken}
	}
	return table, head.Pair, nil
}
