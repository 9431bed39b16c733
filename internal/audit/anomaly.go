package audit

// mends says of each anomaly what it is and which command mends it. The names are
// those of package store.
var mends = map[string]struct{ detail, mend string }{
	"future_suggestion": {"suggestions are of later revisions than the profiles in the database: it lost data", mendHeads},
	"unnoticed_pair":    {"live suggestions that nobody has been told of, not even the figures", mendHeads},
	"missing_alert":     {"news that a subscription was not told", mendHeads},
	"doubled_alert":     {"somebody was told the same twice; it cannot be taken back", "kobling audit --json, with a report of the bug"},
	"lost_alert":        {"alerts are to be sent and no job will send them: no process with the role notify looks after them", "kobling serve --roles=notify"},
	"dead_letter":       {"messages could not be handled and wait for an operator", "kobling dlq list"},
}

func (r *run) addAnomalies(found []Anomaly) {
	for _, a := range found {
		m := mends[a.Name]
		r.found(tally{a.Count, a.Example}, a.Name, m.detail, m.mend)
	}
}
