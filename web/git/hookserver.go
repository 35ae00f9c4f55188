package git

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"aorta/internal/disk"
	"aorta/internal/gitrepo"
	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
)

const (
	// helloTimeout is how long a hook may take to say which push it is.
	helloTimeout = 10 * time.Second
	// lookInterval is how often it is looked whether the socket is there.
	lookInterval = time.Second
)

var (
	errStopping = errors.New("the controller is stopping; the deploy goes on: push again to follow it")
	errHookGone = errors.New("the pusher is gone")
)

// Run answers hooks until ctx ends. Open pushes get an answer that says so; Run
// returns when the Backend has finished all of them.
func (e *Endpoint) Run(ctx context.Context) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		lost, err := e.acceptHooks(ctx, &calls)
		if !lost || err != nil {
			return err
		}
		e.log.Warn("the socket of hooks was removed; it is made again", "path", e.cfg.HookSocket)
	}
}

// acceptHooks answers hooks until ctx ends or somebody has removed the socket.
func (e *Endpoint) acceptHooks(ctx context.Context, calls *sync.WaitGroup) (lost bool, err error) {
	l, err := e.listen(ctx)
	if err != nil {
		return false, err
	}
	accepting, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(accepting, func() { _ = l.Close() })()
	defer func() { _ = l.Close() }()
	gone := make(chan struct{})
	go func() { // ends with accepting
		for tick.Next(accepting, lookInterval) {
			if _, err := os.Lstat(e.cfg.HookSocket); errors.Is(err, os.ErrNotExist) {
				close(gone)
				stop()
				return
			}
		}
	}()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return false, nil
		}
		select {
		case <-gone:
			if err == nil {
				_ = conn.Close()
			}
			return true, nil
		default:
		}
		if err != nil {
			return false, fmt.Errorf("accept a hook on %s: %w", e.cfg.HookSocket, err)
		}
		// Ends with its connection, its push, or ctx.
		calls.Go(func() { e.answerHook(ctx, conn) })
	}
}

func (e *Endpoint) listen(ctx context.Context) (net.Listener, error) {
	// What a killed predecessor left would make the address taken.
	if err := os.Remove(e.cfg.HookSocket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old hook socket: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", e.cfg.HookSocket)
	if err != nil {
		return nil, fmt.Errorf("listen for hooks: %w", err)
	}
	if err := os.Chmod(e.cfg.HookSocket, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("close hook socket to others: %w", err)
	}
	return l, nil
}

// answerHook reads one hook's request and answers with the results.
func (e *Endpoint) answerHook(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(helloTimeout))
	var h hello
	if err := json.NewDecoder(io.LimitReader(conn, maxHello)).Decode(&h); err != nil {
		e.log.Warn("hook said nothing useful", "error", err)
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	out := newLineWriter(conn)
	push := e.pending.take(h.Token)
	if push == nil {
		_ = out.finish(refuseAll(h.Commands, "this hook belongs to no push"))
		return
	}
	push.takenIn()
	pctx, stop := lifeOf(ctx, push.ctx, conn)
	defer stop()
	if err := out.finish(e.decide(pctx, push.visit, h.Commands, out)); err != nil {
		e.log.Info("pusher did not hear the end of its push", "app", push.visit.app, "who", push.visit.who.Name, "error", err)
	}
}

// lifeOf is a context that ends with the pusher's request, with its hook, or
// with ours; its cause says which.
func lifeOf(ctx, pusher context.Context, conn net.Conn) (context.Context, func()) {
	life, cancel := context.WithCancelCause(pusher)
	unhook := context.AfterFunc(ctx, func() { cancel(errStopping) })
	// A hook says nothing after its hello. This ends when it is gone or the
	// connection is closed, which answerHook does.
	go func() {
		_, _ = conn.Read(make([]byte, 1))
		cancel(errHookGone)
	}()
	return life, func() {
		unhook()
		cancel(nil)
	}
}

// decide finds each command's result. At most one reaches the Backend.
func (e *Endpoint) decide(ctx context.Context, v visit, commands []command, out io.Writer) []result {
	verdict := judge(commands)
	verdict.report(commands, out)
	if i := verdict.deploy; i >= 0 {
		err := e.push(ctx, v, commands[i], out)
		if err != nil && errors.Is(context.Cause(ctx), errStopping) {
			err = errStopping
		}
		verdict.refusals[i] = e.refusal(ctx, v, err)
	}
	results := make([]result, 0, len(commands))
	for i, c := range commands {
		r := result{Ref: c.Ref, ByGit: slices.Contains(verdict.tags, i)}
		if verdict.refusals[i] != nil {
			r.Error = oneLine(verdict.refusals[i])
		}
		results = append(results, r)
	}
	if slices.ContainsFunc(results, func(r result) bool { return r.Error != "" }) {
		if err := v.repo.NoteRefused(); err != nil {
			e.log.Warn("what a refused push brought stays for a day", "app", v.app, "err", err)
		}
	}
	return results
}

// refusal is why a push failed, for who pushed; what is no fault of theirs is logged,
// too.
func (e *Endpoint) refusal(ctx context.Context, v visit, err error) error {
	err = disk.ExplainError(err)
	ended := err == nil || ctx.Err() != nil || errors.Is(err, errStopping)
	if !ended && cluster.CodeOf(err) == cluster.CodeInternal {
		e.log.Error("push failed", "app", v.app, "who", v.who.Name, "error", err)
	}
	return err
}

func (e *Endpoint) push(ctx context.Context, v visit, c command, out io.Writer) error {
	is, err := v.repo.IsCommit(ctx, c.New)
	if err != nil {
		return fmt.Errorf("check what was pushed: %w", err)
	}
	if !is {
		return cluster.Invalid("", "not a commit (to push a tag: git push aorta 'TAG^{commit}:main')")
	}
	forced, err := isForced(ctx, v.repo, c)
	if err != nil {
		return err
	}
	return e.backend.Push(ctx, Push{
		App: v.id, AppName: v.app, Ref: c.Ref, Old: c.Old, New: c.New, Who: v.who.Name, Forced: forced,
	}, out)
}

// isForced tells whether the push leaves commits behind.
func isForced(ctx context.Context, repo gitrepo.Repo, c command) (bool, error) {
	if c.Old == gitrepo.NoCommit {
		return false, nil
	}
	known, err := repo.IsCommit(ctx, c.Old)
	if err != nil || !known {
		return !known, err
	}
	ancestor, err := repo.IsAncestor(ctx, c.Old, c.New)
	return !ancestor, err
}
