package pack_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/pack"
)

// file writes a file called name and returns its path.
func file(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// scan reads a file and returns all that came of it.
func scan(tb testing.TB, path string, o pack.Options) ([]pack.Entry, pack.Info, pack.Report, error) {
	tb.Helper()
	var entries []pack.Entry
	info, report, err := pack.Scan(tb.Context(), path, o, func(e pack.Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, info, report, err
}

// words makes an entry of "da:fald" and the like.
func words(terms ...string) pack.Entry {
	var e pack.Entry
	for _, t := range terms {
		lang, text, _ := strings.Cut(t, ":")
		e.Terms = append(e.Terms, pack.Term{Lang: lang, Text: text})
	}
	return e
}

// texts makes an entry of whole texts.
func texts(terms ...string) pack.Entry {
	e := words(terms...)
	e.Parallel = true
	return e
}

func TestEachFormatIsReadAsItIs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		content string
		options pack.Options
		format  string
		want    []pack.Entry
		report  pack.Report
	}{
		"the rows of a concept may stand apart": {
			content: "concept_id\tlang\ttype\tlabel\nx:1\tda\tpref\tfald\nx:2\ten\tpref\tbed\nx:1\ten\tpref\tfall\nx:2\tfi\talt\tsänky\n",
			format:  pack.Concepts,
			want:    []pack.Entry{words("da:fald", "en:fall"), words("en:bed", "fi:sänky")},
			report:  pack.Report{Lines: 4},
		},
		"columns are known by their names": {
			content: "label\tLang\tconcept_id\tnote\nfald\tda\t1\tx\nfall\ten\t1\ty\n",
			format:  pack.Concepts,
			want:    []pack.Entry{words("da:fald", "en:fall")},
			report:  pack.Report{Lines: 2},
		},
		"a byte order mark, comments, CRLF, empty lines and odd spaces do no harm": {
			content: "\ufeff# a note\r\n\r\nconcept_id\tlang\ttype\tlabel\r\n1\tda\tpref\t  fald\u00a0 alarm\u00ad\r\n\r\n1\ten\tpref\tfall alarm\t\r\n",
			format:  pack.Concepts,
			want:    []pack.Entry{words("da:fald alarm", "en:fall alarm")},
			report:  pack.Report{Lines: 2},
		},
		"letters are composed, and a label counts once": {
			content: "concept_id\tlang\ttype\tlabel\n1\tsv\tpref\ta\u030alder\n1\tsv\talt\tålder\n1\ten\tpref\tage\n",
			format:  pack.Concepts,
			want:    []pack.Entry{words("sv:ålder", "en:age")},
			report:  pack.Report{Lines: 3},
		},
		"what has one term says nothing": {
			content: "concept_id\tlang\ttype\tlabel\n1\ten\tpref\tfall\n2\ten\tpref\tbed\n2\tda\tpref\tseng\n",
			format:  pack.Concepts,
			want:    []pack.Entry{words("en:bed", "da:seng")},
			report:  pack.Report{Lines: 3, Alone: 1},
		},
		"plain Norwegian is bokmål, regions do not matter, other languages are counted": {
			content: "src_lang\tsrc\ttgt_lang\ttgt\tpos\nno\tfall\ten-GB\tfall\tn\net\tkukkumine\ten\tfall\tn\nnn\tfall\tSWE\tfall\t\n",
			format:  pack.Dictionary,
			want:    []pack.Entry{words("nb:fall", "en:fall"), words("nn:fall", "sv:fall")},
			report:  pack.Report{Lines: 3, Alone: 1, Norwegian: 1, Foreign: map[string]int{"et": 1}},
		},
		"a dictionary may do without part of speech": {
			content: "src_lang\tsrc\ttgt_lang\ttgt\nda\tseng\tnl\tbed\n",
			format:  pack.Dictionary,
			want:    []pack.Entry{words("da:seng", "nl:bed")},
			report:  pack.Report{Lines: 1},
		},
		"a format that is named needs no header": {
			content: "da\tseng\tnl\tbed\n",
			options: pack.Options{Format: pack.Dictionary},
			format:  pack.Dictionary,
			want:    []pack.Entry{words("da:seng", "nl:bed")},
			report:  pack.Report{Lines: 1},
		},
		"parallel texts are joined by their id": {
			content: "id\tlang\ttext\na\ten\tThe bed.\na\tda\tSengen.\n",
			format:  pack.Parallel,
			want:    []pack.Entry{texts("en:The bed.", "da:Sengen.")},
			report:  pack.Report{Lines: 2},
		},
		"parallel texts side by side": {
			content: "id\tsection\ten\tda\n1\tx\tThe bed.\tSengen.\n",
			format:  pack.Parallel,
			want:    []pack.Entry{texts("en:The bed.", "da:Sengen.")},
			report:  pack.Report{Lines: 1},
		},
		"parallel texts whose columns are named by hand": {
			content: "7\tSengen.\tThe bed.\n",
			options: pack.Options{Langs: []string{"-", "da", "en"}},
			format:  pack.Parallel,
			want:    []pack.Entry{texts("da:Sengen.", "en:The bed.")},
			report:  pack.Report{Lines: 1},
		},
		"a header that says the same is no text": {
			content: "no\ten\nSengen.\tThe bed.\n",
			options: pack.Options{Format: pack.Parallel, Langs: []string{"no", "en"}},
			format:  pack.Parallel,
			want:    []pack.Entry{texts("nb:Sengen.", "en:The bed.")},
			report:  pack.Report{Lines: 1, Norwegian: 1},
		},
		"of comparable texts only the labels are taken": {
			content: "concept_id\tlang\tlabel\ttitles\n1\tfi\tsänky\tSänky | Vuode\n1\ten\tbed\tThe bed\n",
			format:  pack.Comparable,
			want:    []pack.Entry{words("fi:sänky", "en:bed")},
			report:  pack.Report{Lines: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.report.Foreign == nil {
				tt.report.Foreign = map[string]int{}
			}
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			if _, err := z.Write([]byte(tt.content)); err != nil || z.Close() != nil {
				t.Fatal("gzip failed:", err)
			}
			// What is gzip is told by its first bytes, not by its name.
			for _, content := range []string{tt.content, zipped.String()} {
				entries, info, report, err := scan(t, file(t, "words.tsv", content), tt.options)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, entries); diff != "" {
					t.Errorf("entries (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.report, report); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				counted := map[string]int{}
				for _, e := range entries {
					for _, term := range e.Terms {
						counted[term.Lang]++
					}
				}
				if info.Format != tt.format || info.Name != "words" || info.Entries != len(tt.want) || !cmp.Equal(info.Terms, counted) {
					t.Errorf("info = %+v, want format %s, %d entries and terms %v", info, tt.format, len(tt.want), counted)
				}
			}
		})
	}
}

func TestAFileThatCannotBeUsedIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	const head = "concept_id\tlang\ttype\tlabel\n"
	good := head + "1\tda\tpref\tfald\n1\ten\tpref\tfall\n"
	for name, tt := range map[string]struct {
		content string
		options pack.Options
		want    string
	}{
		"more than half is wrong":      {good + "\tda\tpref\tfald\n3\tda\tbest\tfald\n4\tda\tpref\n", pack.Options{}, "3 of 5 lines are not as the format concepts has them, for example line 4: no id; expected tab-separated columns"},
		"no header":                    {"fald,fall\n", pack.Options{}, `the first line, "fald,fall", is the header of no format known here`},
		"empty":                        {"\n# nothing\n", pack.Options{}, "the file is empty"},
		"only a header":                {head, pack.Options{}, "nothing in it names one thing in two terms"},
		"only other languages":         {head + "1\tet\tpref\tvoodi\n1\tlv\tpref\tgulta\n", pack.Options{}, "no two terms in languages of this product (da nb"},
		"another format":               {good, pack.Options{Format: pack.Dictionary}, "3 of 3 lines are not as the format dictionary has them"},
		"no format":                    {good, pack.Options{Format: "skos"}, `format "skos" is not one of concepts, dictionary`},
		"languages of one column":      {"a\tb\n", pack.Options{Langs: []string{"-", "da"}}, "--langs must name two columns"},
		"languages of another format":  {"a\tb\n", pack.Options{Format: pack.Concepts, Langs: []string{"en", "da"}}, "--langs names the columns of a parallel file"},
		"gzip that is none":            {"\x1f\x8bnonsense", pack.Options{}, "damaged or cut off"},
		"a picture":                    {"\x89PNG\r\n\x1a\n\x00\x00", pack.Options{}, "is the header of no format"},
		"a first line without an end ": {strings.Repeat("x", 5<<20), pack.Options{}, "the first line has more than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entries, _, _, err := scan(t, file(t, "words.tsv", tt.content), tt.options)
			if len(entries) > 0 {
				t.Errorf("handed out all the same: %v", entries)
			}
			if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "words.tsv: ") {
				t.Errorf("Scan = %v, want an invalid file and %q", err, tt.want)
			}
		})
	}
}

func TestAFaultyLineIsNamedAndPassedOver(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ line, want string }{
		"a column too few":  {"2\tda\tpref", "3 columns, want 4"},
		"a column too many": {"2\tda\tpref\tseng\tx", "5 columns, want 4"},
		"an empty cell":     {"2\tda\tpref\t \u00ad", "an empty cell"},
		"an unknown type":   {"2\tda\tbest\tseng", `type "best" is not one of pref, alt, hidden, text`},
		"no language":       {"2\tDansk sprog\tpref\tseng", `"Dansk sprog" is no language`},
		"a label too long":  {"2\tda\tpref\t" + strings.Repeat("å", 1001), "a cell of more than 1000 characters"},
		"not UTF-8":         {"2\tda\tpref\tseng\xff", "not UTF-8"},
		"a line too long":   {"2\tda\tpref\t" + strings.Repeat("x", 4<<20), "a line of more than 4194304 bytes"},
		"both kinds":        {"1\tda\ttext\tfald", "1 is both a label and a whole text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := "concept_id\tlang\ttype\tlabel\n1\tda\tpref\tfald\n" + tt.line + "\n1\ten\tpref\tfall\n"
			entries, _, report, err := scan(t, file(t, "words.tsv", content), pack.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]pack.Entry{words("da:fald", "en:fall")}, entries); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if report.Lines != 3 || report.Bad != 1 || len(report.Faults) != 1 || report.Faults[0] != (pack.Fault{Line: 3, Text: tt.want}) {
				t.Errorf("report = %+v, want line 3: %s", report, tt.want)
			}
		})
	}
}
