package pack

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kobling/internal/fault"
)

// The files of a dictd dictionary are called alike but for these endings.
var dictdEndings = []string{".dict.dz", ".dict", ".index"}

// maxArticle is the longest article, in bytes.
const maxArticle = 1 << 20

func isDictd(path string) bool {
	return slices.ContainsFunc(dictdEndings, func(end string) bool { return strings.HasSuffix(path, end) })
}

// place is where the text of an article is.
type place struct {
	line         int // of the index
	offset, size int64
}

// dictd reads a dictionary of the dictd server: an index of headwords and a text
// of articles, as FreeDict makes them. Path names any of its files.
func (s *scan) dictd(path string) error {
	base := path
	for _, end := range dictdEndings {
		base = strings.TrimSuffix(base, end)
	}
	langs, err := s.dictdLangs(baseName(path))
	if err != nil {
		return err
	}
	text := base + ".dict.dz"
	if _, err := os.Stat(text); errors.Is(err, os.ErrNotExist) {
		text = base + ".dict"
	}
	for _, needed := range []string{base + ".index", text} {
		if _, err := os.Stat(needed); err != nil {
			return fmt.Errorf("%s is missing; a dictd dictionary is NAME.index beside NAME.dict or NAME.dict.dz: %w", needed, errors.Join(err, fault.ErrInvalid))
		}
	}
	places, err := s.index(base + ".index")
	if err != nil {
		return err
	}
	look := &scan{ctx: s.ctx} // without progress: the sample is small
	notes := noteMeter{}
	if _, err := look.articles(text, places[:min(len(places), sampleArticles)], func(_ int, a string) error {
		notes.read(a)
		return nil
	}); err != nil {
		return err
	}
	s.info.SHA256, err = s.articles(text, places, func(line int, a string) error { return s.article(line, a, langs, notes.explained()) })
	return err
}

// dictdLangs returns the two languages of a dictionary: as given, or as its name
// says: freedict-swe-eng.
func (s *scan) dictdLangs(name string) (langs [2]string, err error) {
	given := s.options.Langs
	if len(given) == 0 {
		if parts := strings.Split(name, "-"); len(parts) > 1 {
			given = parts[len(parts)-2:]
		}
	}
	if len(given) != 2 || !ours(language(given[0])) || !ours(language(given[1])) {
		return langs, fmt.Errorf("the name does not end in two languages of this product, as freedict-swe-eng does; give them as --langs sv,en: %w", fault.ErrInvalid)
	}
	return [2]string{given[0], given[1]}, nil
}

// index reads the index of a dictionary: where its articles are, in their order.
func (s *scan) index(path string) ([]place, error) {
	whole := *s
	whole.options.Progress = nil // the text is what takes long
	src, err := whole.openSource(path)
	if err != nil {
		return nil, err
	}
	in := &lines{r: src.Reader}
	var places []place
	for {
		text, long, err := in.next()
		if errors.Is(err, io.EOF) {
			_, err = src.close(nil)
			return inOrder(places), err
		}
		if err != nil {
			_, err = src.close(err)
			return nil, err
		}
		cells := strings.Split(text, "\t")
		if !long && strings.HasPrefix(strings.ReplaceAll(cells[0], "-", ""), "00database") {
			continue // about the dictionary
		}
		s.report.Lines++
		if long || len(cells) < 3 || len(cells) > 4 {
			s.bad(in.n, "want headword, offset and size")
			continue
		}
		offset, ok1 := base64Number(cells[1])
		size, ok2 := base64Number(cells[2])
		if !ok1 || !ok2 || size == 0 || size > maxArticle || offset > maxBytes {
			s.bad(in.n, "%.20q and %.20q are no offset and size of an article", cells[1], cells[2])
			continue
		}
		places = append(places, place{in.n, offset, size})
	}
}

// inOrder sorts places and leaves out headwords of an article that is there
// already: it is one article, which names its main headword.
func inOrder(places []place) []place {
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.offset, b.offset) })
	return slices.CompactFunc(places, func(a, b place) bool { return a.offset == b.offset && a.size == b.size })
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// base64Number reads a number as dictd writes it, most significant digit first.
func base64Number(s string) (int64, bool) {
	if s == "" || len(s) > 6 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		d := strings.IndexByte(base64Digits, s[i])
		if d < 0 {
			return 0, false
		}
		n = n<<6 | int64(d)
	}
	return n, true
}

// articles calls f for each article in places, which are in order, and returns
// the checksum of the file.
func (s *scan) articles(path string, places []place, f func(line int, article string) error) (string, error) {
	src, err := s.openSource(path)
	if err != nil {
		return "", err
	}
	var pos int64
	for i, p := range places {
		if p.offset < pos {
			s.bad(p.line, "its article lies in another one")
			continue
		}
		b := make([]byte, p.size)
		_, err := io.CopyN(io.Discard, src, p.offset-pos)
		if err == nil {
			_, err = io.ReadFull(src, b)
		}
		pos = p.offset + p.size
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, fault.ErrInvalid) {
			for _, lost := range places[i:] {
				s.bad(lost.line, "its article lies beyond the end of %s", path)
			}
			break
		}
		if err == nil {
			err = f(p.line, string(b))
		}
		if err != nil {
			return src.close(err)
		}
	}
	return src.close(nil)
}

// article hands out an entry for each translation of a headword.
func (s *scan) article(line int, text string, langs [2]string, explained bool) error {
	if !utf8.ValidString(text) {
		s.bad(line, "its article is not UTF-8")
		return nil
	}
	head, translations := parseArticle(text, explained)
	if head == "" || len(translations) == 0 {
		s.report.Alone++
		return nil
	}
	for _, t := range translations {
		var e Entry
		what := s.add(&e, langs[0], head, maxLabel)
		if what == "" {
			what = s.add(&e, langs[1], t, maxLabel)
		}
		if what != "" {
			s.bad(line, "%s", what)
			return nil // once is enough
		}
		if err := s.pass(e); err != nil {
			return err
		}
	}
	return nil
}

// An article of FreeDict is a headline, then its translations: on one line, or on
// one for each sense, or on one each.
//
//	henry /ˈhɛnɹi/ <n>
//	1. henry 2.
//	SI unit for electrical inductance
//	2. Heikki
//
// Those made of Wiktionary explain each sense in the headword's language on the
// line below (and number the explanations of one translation, as "2." above); such
// lines are no translations. explained says that the dictionary is of that kind.
func parseArticle(text string, explained bool) (head string, translations []string) {
	first, rest, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	head, affix := headword(first)
	if affix {
		return "", nil // "-ly" translates no word
	}
	body(rest, func(line string, extra bool) {
		if !extra || !explained {
			translations = appendTranslations(translations, line)
		}
	})
	return head, translations
}

var senseNumber = regexp.MustCompile(`^\d{1,3}[.)](?:\s+|$)`)

// body calls f for each line below a headline that may hold translations, without
// its number; extra says that the sense had such a line already.
func body(text string, f func(line string, extra bool)) {
	extra, noted := false, false
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, " ")
		line = strings.TrimSpace(line)
		if n := senseNumber.FindString(line); n != "" {
			line = line[len(n):]
			extra = false
			noted = indented && line == "" // the number of an explanation, which follows
			if line == "" {
				continue
			}
		}
		if noted {
			noted = false
			extra = true
			continue
		}
		if line == "" {
			continue
		}
		f(line, extra)
		extra = !strings.HasSuffix(line, ",") && !strings.HasSuffix(line, ";") // else it goes on
	}
}

// headword returns the headword of a headline, without pronunciation and part of
// speech, and whether that is a prefix or suffix.
func headword(line string) (word string, affix bool) {
	line = strings.TrimSpace(line)
	if i := strings.Index(line, " /"); i >= 0 {
		affix = strings.Contains(line[i:], "fix>") || strings.Contains(line[i:], "fix,")
		line = line[:i]
	}
	if i := strings.LastIndex(line, "<"); i >= 0 && strings.HasSuffix(line, ">") {
		affix = affix || strings.Contains(line[i:], "fix")
		line = line[:i]
	}
	return strings.TrimSpace(line), affix
}

var trailingNumber = regexp.MustCompile(`\s\d{1,3}\.$`)

// appendTranslations appends the translations in a line, without notes in
// brackets.
func appendTranslations(dst []string, line string) []string {
	var b strings.Builder
	depth := 0
	end := func() {
		text := strings.TrimSpace(trailingNumber.ReplaceAllString(strings.TrimSpace(b.String()), ""))
		b.Reset()
		if strings.ContainsFunc(text, unicode.IsLetter) && !slices.Contains(dst, text) {
			dst = append(dst, text)
		}
	}
	for _, r := range line {
		switch {
		case strings.ContainsRune("([{<", r):
			depth++
		case strings.ContainsRune(")]}>", r):
			depth = max(depth-1, 0)
			b.WriteByte(' ')
		case depth > 0:
		case r == ',' || r == ';':
			end()
		default:
			b.WriteRune(r)
		}
	}
	end()
	return dst
}

// sampleArticles is how many articles are looked at to tell a dictionary that
// explains its translations from one that lists them line by line.
const sampleArticles = 5000

// noteMeter measures how many of the lines after a sense's first are sentences.
type noteMeter struct{ extra, sentences int }

func (m *noteMeter) read(article string) {
	_, rest, _ := strings.Cut(strings.TrimLeft(article, "\r\n"), "\n")
	body(rest, func(line string, extra bool) {
		if !extra {
			return
		}
		m.extra++
		if len(strings.Fields(line)) > 4 {
			m.sentences++
		}
	})
}

// explained reports whether extra lines are explanations: one in ten is a
// sentence.
func (m *noteMeter) explained() bool { return m.sentences*10 > m.extra }
