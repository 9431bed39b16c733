package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/analysis"
	"kobling/internal/api"
	"kobling/internal/lexicon"
	"kobling/internal/pack"
	"kobling/internal/profile"
)

type lexiconCoverageCmd struct {
	connection
	output

	Corpus string `placeholder:"FILE" help:"Texts as JSON Lines: profiles as import reads them, or objects with title, text and lang; also .gz. The published profiles of the running service when left out."`
	Lang   string `placeholder:"LANG" help:"Only this language: da nb nn sv fi nl en de fr."`
	Top    int    `default:"50" help:"How many words of each language."`
}

// Help is shown under --help.
func (*lexiconCoverageCmd) Help() string {
	return `Example: kobling lexicon coverage --corpus profiles.jsonl --lang fi --top 20

The words that stand in most profiles while no built-in concept and no pack knows them: to add concepts or
packs that do makes matching better. Function words and numbers are left out, and forms of a word counted
together. A pack knows a word that is one of its terms; whole texts that translate each other do not count.`
}

// wordCount is one line of coverage.
type wordCount struct {
	Word  string `json:"word"`  // its commonest form
	Times int    `json:"times"` // it stands there
	Texts int    `json:"texts"` // it stands in

	key   string
	forms map[string]int
	last  int // the text that was counted last
}

// coverage counts the words that are not known, by language and key.
type coverage struct {
	analyzer *analysis.Analyzer
	words    map[string]map[string]*wordCount
	texts    int
}

// Run counts and prints.
func (c *lexiconCoverageCmd) Run(p *process) error {
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	if c.Top < 1 {
		return fmt.Errorf("--top: want 1 or more, got %d (%w)", c.Top, errUsage)
	}
	store, _, err := p.packs()
	if err != nil {
		return err
	}
	lex, err := lexicon.Default()
	if err != nil {
		return err
	}
	a, err := analysis.New(lex)
	if err != nil {
		return err
	}
	count := coverage{analyzer: a, words: make(map[string]map[string]*wordCount)}
	if c.Corpus != "" {
		err = readCorpus(c.Corpus, count.add)
	} else {
		err = count.running(p)
	}
	if err != nil {
		return err
	}
	entries, failed := store.Entries()
	for e := range entries {
		count.forget(e)
	}
	if err := failed(); err != nil {
		return err
	}
	top := count.top(c.Lang, c.Top)
	if c.JSON {
		return p.printJSON(top)
	}
	if len(top) == 0 {
		say(p.out, "Every word of the %d texts is known.", count.texts)
		return nil
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Language", "Word", "Times", "Texts"})
	for _, lang := range languages(top) {
		for _, w := range top[lang] {
			t.AppendRow(table.Row{lang, w.Word, w.Times, w.Texts})
		}
		t.AppendSeparator()
	}
	t.Render()
	return nil
}

// add counts the words of one profile.
func (c *coverage) add(texts []profile.Text) {
	c.texts++
	for _, u := range c.analyzer.Unknown(texts) {
		w := c.word(u.Lang, u.Key)
		w.Times++
		w.forms[u.Word]++
		if w.last != c.texts {
			w.last = c.texts
			w.Texts++
		}
	}
}

// running counts the words of the published profiles of the running service.
func (c *coverage) running(p *process) error {
	client, err := p.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(p, allProfiles)
	defer cancel()
	return client.Unknown(ctx, func(page api.UnknownWords) {
		c.texts += page.Profiles
		for _, u := range page.Words {
			w := c.word(u.Lang, u.Key)
			w.Times += u.Times
			w.Texts += u.Profiles
			w.forms[u.Word] += u.Times
		}
	})
}

// allProfiles is the time in which a service has shown the words of all profiles.
const allProfiles = 10 * time.Minute

// word returns the count of a word, a new one if need be.
func (c *coverage) word(lang, key string) *wordCount {
	lang = cmp.Or(lang, "?")
	if c.words[lang] == nil {
		c.words[lang] = make(map[string]*wordCount)
	}
	w := c.words[lang][key]
	if w == nil {
		w = &wordCount{key: key, forms: make(map[string]int)}
		c.words[lang][key] = w
	}
	return w
}

// forget leaves out the words that a pack's entry knows: its terms in a language,
// if it has another to translate them into.
func (c *coverage) forget(e pack.Entry) {
	if e.Parallel || !slices.ContainsFunc(e.Terms, func(t pack.Term) bool { return t.Lang != e.Terms[0].Lang }) {
		return
	}
	for _, t := range e.Terms {
		if len(c.words[t.Lang]) > 0 {
			delete(c.words[t.Lang], c.analyzer.Key(t.Lang, t.Text))
		}
	}
}

// top returns the n words of each language that stand in most texts.
func (c *coverage) top(lang string, n int) map[string][]wordCount {
	top := make(map[string][]wordCount)
	for l, words := range c.words {
		if lang != "" && l != lang {
			continue
		}
		var list []wordCount
		for _, w := range words {
			for form, times := range w.forms {
				if most := w.forms[w.Word]; times > most || times == most && form < w.Word {
					w.Word = form
				}
			}
			list = append(list, *w)
		}
		slices.SortFunc(list, func(a, b wordCount) int {
			return cmp.Or(cmp.Compare(b.Texts, a.Texts), cmp.Compare(b.Times, a.Times), cmp.Compare(a.key, b.key))
		})
		if len(list) > 0 {
			top[l] = list[:min(n, len(list))]
		}
	}
	return top
}

// maxCorpusLine is the longest line of a corpus, in bytes.
const maxCorpusLine = 16 << 20

// readCorpus calls f for the texts of each line of JSON Lines.
func readCorpus(name string, f func([]profile.Text)) (err error) {
	file, err := os.Open(name) //nolint:gosec // the file that the user names
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	raw := bufio.NewReader(file)
	var in io.Reader = raw
	if magic, _ := raw.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if in, err = gzip.NewReader(raw); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxCorpusLine)
	n, found := 0, 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(line) == 0 {
			continue
		}
		var d struct {
			Texts []profile.Text `json:"texts"`
			Title string         `json:"title"`
			Text  string         `json:"text"`
			Lang  string         `json:"lang"`
		}
		if err := json.Unmarshal(line, &d); err != nil {
			return fmt.Errorf("%s:%d: want a JSON object with texts, or with title, text and lang: %w", name, n, err)
		}
		if d.Title != "" || d.Text != "" {
			d.Texts = append(d.Texts, profile.Text{Lang: d.Lang, Title: d.Title, Description: d.Text})
		}
		if len(d.Texts) > 0 {
			found++
			f(d.Texts)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: line %d: %w", name, n+1, err)
	}
	if found == 0 {
		return fmt.Errorf("%s: %w", name, errors.New("no line has texts, or title and text"))
	}
	return nil
}
