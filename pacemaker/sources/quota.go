package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"aorta/pacemaker/cluster"
)

// MaxArchives is how many bytes of archives an app may have: those of its releases,
// of deploys that are open or may be retried, and the uploads under way.
const MaxArchives = 5 * MaxArchive

// admit reserves an app the room of one upload, until done is called. It removes the
// archives of the app's oldest releases for it, but not of those that run. It refuses
// when what may not go takes the room: of one app, and not of the disk that all share.
func (s *Sources) admit(ctx context.Context, app cluster.App) (done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	spare, used, err := s.archives(ctx, app)
	if err != nil {
		return nil, err
	}
	used += int64(s.uploads[app.ID]+1) * MaxArchive
	for _, a := range spare {
		if used <= MaxArchives {
			break
		}
		if err := s.RemoveArchive(a.build); err != nil {
			return nil, err
		}
		used -= a.size
	}
	if used > MaxArchives {
		return nil, cluster.Conflict("app %q has as many uploads under way and waiting as it may, %s: wait for its deploys or cancel some (aorta jobs -a %s), then deploy again",
			app.Name, cluster.Bytes(MaxArchives), app.Name)
	}
	s.uploads[app.ID]++
	return func() { s.uploaded(app.ID) }, nil
}

func (s *Sources) uploaded(app cluster.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uploads[app]--; s.uploads[app] == 0 {
		delete(s.uploads, app)
	}
}

// archived is a build's archive and its size in bytes.
type archived struct {
	build cluster.ID
	size  int64
}

// archives gives the bytes of an app's archives, and those that can be done without,
// oldest first.
func (s *Sources) archives(ctx context.Context, app cluster.App) (spare []archived, used int64, err error) {
	builds, err := s.cfg.Store.ArchiveBuilds(ctx, app.ID)
	if err != nil {
		return nil, 0, err
	}
	kept, err := s.needed(ctx, app.ID, 1)
	if err != nil {
		return nil, 0, err
	}
	slices.Sort(builds)
	for _, id := range builds {
		f, err := os.Stat(s.ArchivePath(id))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		used += f.Size()
		if !kept[id] {
			spare = append(spare, archived{id, f.Size()})
		}
	}
	return spare, used, nil
}
