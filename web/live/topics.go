package live

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/web/view"
)

// The topics of a live stream. Those that end in a colon are followed by what
// they are of.
const (
	topicOverview = "overview"
	topicApps     = "apps"
	topicJobs     = "jobs"
	topicApp      = "app:"
	topicNode     = "node:"
	topicJob      = "job:"
	topicLogs     = "logs:"
)

const (
	maxTopics    = 8
	maxTopicName = 40 // of a job
	maxFilter    = 40
	maxSearch    = 200
	maxLines     = 10_000
	firstLines   = 100
)

// topics are what a live stream reports. Those that the hub computes for all
// are shared; a job and a log are followed for one stream.
type topics struct {
	shared []string
	job    *jobTopic
	logs   *logsTopic
}

// jobTopic follows one job's tree behind a mark.
type jobTopic struct {
	name  string // without the position
	id    string
	after following.Position
}

// logsTopic follows one app's log behind a cursor.
type logsTopic struct {
	name  string // without the position
	app   string
	query view.LogQuery
	after uint64
}

// parseTopics reads the list of topics, without repeats.
func parseTopics(text string) (topics, error) {
	var t topics
	n := 0
	for topic := range strings.SplitSeq(text, ",") {
		if n++; n > maxTopics {
			return t, cluster.Invalid("topics", "more than %d topics", maxTopics)
		}
		var err error
		switch {
		case strings.HasPrefix(topic, topicJob):
			err = t.addJob(topic)
		case strings.HasPrefix(topic, topicLogs):
			err = t.addLogs(topic)
		default:
			err = t.addShared(topic)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func (t *topics) addShared(topic string) error {
	app, ofApp := strings.CutPrefix(topic, topicApp)
	node, ofNode := strings.CutPrefix(topic, topicNode)
	switch {
	case ofApp && cluster.ValidateName("topics", app) == nil:
	case ofNode && cluster.ValidateNodeName("topics", node) == nil:
	case !slices.Contains([]string{topicOverview, topicApps, topicJobs}, topic):
		return cluster.Invalid("topics", "%.40q is no topic (overview, apps, jobs, app:NAME, node:NAME, job:ID, logs:APP)", topic)
	}
	if !slices.Contains(t.shared, topic) {
		t.shared = append(t.shared, topic)
	}
	return nil
}

func (t *topics) addJob(topic string) error {
	name, position, err := cutPosition(topic)
	if err != nil {
		return err
	}
	id := strings.TrimPrefix(name, topicJob)
	if t.job != nil || id == "" || len(id) > maxTopicName {
		return cluster.Invalid("topics", "a stream follows one job, by its id")
	}
	after, err := following.ParsePosition("topics", position)
	t.job = &jobTopic{name: name, id: id, after: after}
	return err
}

func (t *topics) addLogs(topic string) error {
	name, position, err := cutPosition(topic)
	if err != nil {
		return err
	}
	app, filter, _ := strings.Cut(strings.TrimPrefix(name, topicLogs), "?")
	if t.logs != nil || cluster.ValidateName("topics", app) != nil {
		return cluster.Invalid("topics", "a stream follows one app's log, by the app's name")
	}
	l := &logsTopic{name: topicLogs + app, app: app}
	if l.query, err = parseLogQuery(filter); err != nil {
		return err
	}
	if position != "" {
		if l.after, err = strconv.ParseUint(position, 10, 64); err != nil {
			return cluster.Invalid("topics", "%.40q is not an id of this log", position)
		}
	}
	t.logs = l
	return nil
}

// cutPosition parts a topic from the id of it that was seen last.
func cutPosition(topic string) (name, position string, err error) {
	name, position, _ = strings.Cut(topic, "@")
	position, err = url.PathUnescape(position)
	if err != nil {
		return name, "", cluster.Invalid("topics", "the part after the @ in %.40q is not percent-encoded", name)
	}
	return name, position, nil
}

// parseLogQuery reads the parameters that choose lines, as the address of a log
// has them.
func parseLogQuery(text string) (view.LogQuery, error) {
	q := view.LogQuery{N: firstLines}
	given, err := url.ParseQuery(text)
	if err != nil {
		return q, cluster.Invalid("topics", "%.40q is no query", text)
	}
	fields := map[string]struct {
		to   *string
		most int
	}{"type": {&q.Type, maxFilter}, "instance": {&q.Instance, maxFilter}, "since": {&q.Since, maxFilter}, "search": {&q.Search, maxSearch}}
	for name, values := range given {
		field, known := fields[name]
		switch {
		case len(values) != 1 || (!known && name != "n"):
			return q, cluster.Invalid("topics", "%.40q is not a parameter of a log (n, type, instance, since, search)", name)
		case name == "n":
			if q.N, err = strconv.Atoi(values[0]); err != nil || q.N < 0 || q.N > maxLines {
				return q, cluster.Invalid("topics", "%.40q is not a number of lines up to %d", values[0], maxLines)
			}
		case len(values[0]) > field.most:
			return q, cluster.Invalid("topics", "%s is longer than %d", name, field.most)
		default:
			*field.to = values[0]
		}
	}
	return q, nil
}
