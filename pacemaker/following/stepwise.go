package following

import (
	"aorta/jobs"
	"aorta/pacemaker/steps"
)

// emitSteps emits what changed of an operation's steps in their order, the log
// lines of each between its beginning and its end. Lines of jobs that are of no
// step come last.
func (f *follower) emitSteps(list []steps.Step, tree *jobs.Tree, lines func(job string) error) error {
	read := map[string]bool{}
	once := func(job string) error {
		if read[job] || tree.Jobs[job] == nil {
			return nil
		}
		read[job] = true
		return lines(job)
	}
	for _, s := range list {
		if err := f.emitStep(s, once); err != nil {
			return err
		}
	}
	for _, job := range inOrder(tree) {
		if err := once(job); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) emitStep(s steps.Step, lines func(job string) error) error {
	below := s.Children
	s.Children = nil
	if !s.Over() {
		if err := f.sendStep(s); err != nil {
			return err
		}
	}
	for _, job := range s.Jobs {
		if err := lines(job); err != nil {
			return err
		}
	}
	for _, line := range below {
		if err := f.emitStep(line, lines); err != nil {
			return err
		}
	}
	if s.Over() {
		return f.sendStep(s)
	}
	return nil
}

func (f *follower) sendStep(s steps.Step) error {
	if before, known := f.steps[s.ID]; known && before.Same(s) {
		return nil
	}
	f.steps[s.ID] = s
	return f.send(Update{Step: &s})
}
