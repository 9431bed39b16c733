package analysis

// Key returns the key of a label that is one word in lang, apart from function
// words; "" if it is none, or several.
func (a *Analyzer) Key(lang, label string) string {
	if keys := a.Keys(lang, label); len(keys) == 1 {
		return keys[0]
	}
	return ""
}

// Keys returns the keys of the words of text in lang, in reading order, function
// words left out.
func (a *Analyzer) Keys(lang, text string) []string {
	s := a.scratch()
	defer a.release(s)
	at := langIndex(lang)
	s.label = tokenise(s.label[:0], text)
	keys := make([]string, 0, len(s.label))
	for _, t := range s.label {
		if !a.isFunctionWord(t, at, at) {
			keys = append(keys, a.key(s, at, t.word))
		}
	}
	return keys
}
