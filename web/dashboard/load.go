package dashboard

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const (
	indexFile       = "index.html"       // made by the build
	placeholderFile = "placeholder.html" // kept, for binaries without a build
	assetsDir       = "assets"
)

// load reads a build. One without index.html has only the placeholder.
func load(dist fs.FS) (*site, error) {
	s := &site{assets: map[string]*asset{}}
	page, err := fs.ReadFile(dist, indexFile)
	if errors.Is(err, fs.ErrNotExist) {
		page, err = fs.ReadFile(dist, placeholderFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	s.index = newAsset(kinds[".html"], page)
	if err := s.loadAssets(dist); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *site) loadAssets(dist fs.FS) error {
	files, err := fs.ReadDir(dist, assetsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the assets: %w", err)
	}
	// Plain files sort before their compressed forms: a.js, a.js.br, a.js.gz.
	for _, f := range files {
		body, err := fs.ReadFile(dist, path.Join(assetsDir, f.Name()))
		if err != nil {
			return fmt.Errorf("read an asset: %w", err)
		}
		if err := s.add(f.Name(), body); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) add(name string, body []byte) error {
	if coding := suffixes[path.Ext(name)]; coding != "" {
		plain := s.assets[strings.TrimSuffix(name, path.Ext(name))]
		if plain == nil {
			return fmt.Errorf("%s is the compressed form of no file", name)
		}
		plain.forms[coding] = body
		return nil
	}
	kind := kinds[path.Ext(name)]
	if kind == "" {
		return fmt.Errorf("%s has a name of no known type", name)
	}
	s.assets[name] = newAsset(kind, body)
	return nil
}
