package corpus

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Limits of what is read.
const (
	maxText      = 64 << 20 // bytes of all files together; the rest is not read
	maxLine      = 1 << 20
	minSentence  = 4   // words; shorter ones are headings and debris
	minSentences = 200 // fewer make profiles that are all alike
	nicheSpan    = 12  // sentences of a niche
)

// Read returns the corpus of real sentences: those of the files *.txt (a line is a
// text), *.tsv (its columns after the first are) and *.jsonl (the texts of an object
// are) in dir and below, also with .gz after it, in order of name. A niche is some sentences that
// follow each other; a profile has half of its sentences from there, and half from
// anywhere. detect names the language of a text. The error wraps fault.ErrInvalid if
// dir holds too little.
func Read(dir string, seed uint64, detect func(string) string) (*Corpus, error) {
	c := &Corpus{seed: seed, detect: detect}
	left := int64(maxText)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		texts := readers[filepath.Ext(strings.TrimSuffix(path, ".gz"))]
		if texts == nil || left <= 0 {
			return nil
		}
		n, err := c.read(path, texts, left)
		left -= n
		return err
	})
	if err == nil && len(c.sentences) < minSentences {
		err = fmt.Errorf("%s has %d sentences in files *.txt, *.tsv and *.jsonl, and %d are needed: %w", dir, len(c.sentences), minSentences, fault.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	return c, nil
}

// readers say, by the ending of a file, which texts a line of it has.
var readers = map[string]func(line string) ([]string, error){
	".txt": func(line string) ([]string, error) { return []string{line}, nil },
	".tsv": func(line string) ([]string, error) { return strings.Split(line, "\t")[1:], nil },
	".jsonl": func(line string) ([]string, error) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			return nil, fmt.Errorf("%w: %w", fault.ErrInvalid, err)
		}
		var texts []string
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if s, ok := object[name].(string); ok {
				texts = append(texts, s)
			}
		}
		return texts, nil
	},
}

// read adds the sentences of one file and returns how many bytes were read.
func (c *Corpus) read(path string, texts func(string) ([]string, error), limit int64) (n int64, err error) {
	f, err := os.Open(path) //nolint:gosec // the user names the folder
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := io.Reader(f)
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return 0, fmt.Errorf("%s: %w: %w", path, fault.ErrInvalid, err)
		}
	}
	lines := bufio.NewScanner(io.LimitReader(in, limit))
	lines.Buffer(nil, maxLine)
	for number := 1; lines.Scan(); number++ {
		line := strings.ToValidUTF8(lines.Text(), "")
		n += int64(len(line)) + 1
		if strings.TrimSpace(line) == "" {
			continue
		}
		found, err := texts(line)
		if err != nil {
			if n >= limit {
				break // it was cut off there
			}
			return n, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		for _, text := range found {
			c.sentences = append(c.sentences, sentences(text)...)
		}
	}
	if err := lines.Err(); err != nil {
		return n, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// sentences returns the words of each sentence of text.
func sentences(text string) [][]string {
	var list [][]string
	var sentence []string
	end := func() {
		if len(sentence) >= minSentence {
			list = append(list, sentence)
		}
		sentence = nil
	}
	for word := range strings.FieldsSeq(text) {
		sentence = append(sentence, word)
		if strings.ContainsAny(word[len(word)-1:], ".!?") {
			end()
		}
	}
	end()
	return list
}

// quote draws sentences for a profile until it has enough words.
func (c *Corpus) quote(r *rand.Rand, niche int) []string {
	span := min(nicheSpan, len(c.sentences))
	from := c.draw(ofNiche, uint64(niche)).IntN(len(c.sentences) - span + 1) //nolint:gosec // not negative
	var list []string
	for own := r.Perm(span); len(list) < words; {
		if len(own) > 0 {
			list = append(list, c.sentences[from+own[0]]...)
			own = own[1:]
		}
		list = append(list, c.sentences[r.IntN(len(c.sentences))]...)
	}
	return fit(list[:words])
}

// fit shortens words that no field could hold: what is left is within the limits
// of a profile, field by field.
func fit(list []string) []string {
	const most = profile.MaxSummary / 24 // characters of a word on average, of the tightest field
	for i, word := range list {
		if runes := []rune(word); len(runes) > most-1 {
			list[i] = string(runes[:most-1])
		}
	}
	return list
}
