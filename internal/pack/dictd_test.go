package pack_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/pack"
)

// dictd writes a dictionary of the dictd server into a new folder and returns the
// path of its index. Each article is filed under its first word; more index lines
// may be given as they are.
func dictd(tb testing.TB, name string, dictzip bool, articles []string, more ...string) string {
	tb.Helper()
	number := func(n int) string {
		const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		s := string(digits[n%64])
		for n /= 64; n > 0; n /= 64 {
			s = string(digits[n%64]) + s
		}
		return s
	}
	var text, index bytes.Buffer
	for i, a := range append([]string{"\n00-database-info\nAn invented dictionary, of words\n"}, articles...) {
		head := "00databaseinfo"
		if i > 0 {
			head = strings.ToLower(strings.FieldsFunc(a+" ", func(r rune) bool { return r == ' ' || r == '\n' })[0])
		}
		fmt.Fprintf(&index, "%s\t%s\t%s\n", head, number(text.Len()), number(len(a)))
		text.WriteString(a)
	}
	for _, line := range more {
		index.WriteString(line + "\n")
	}
	path := filepath.Join(tb.TempDir(), name)
	content, ending := text.Bytes(), ".dict"
	if dictzip { // gzip with a table of chunks in its header, which a reader may pass over
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		z.Extra = []byte("RA\x08\x00\x01\x00\xcb\xe3\x01\x00\x40\x00")
		if _, err := z.Write(content); err != nil || z.Close() != nil {
			tb.Fatal("dictzip failed:", err)
		}
		content, ending = zipped.Bytes(), ".dict.dz"
	}
	if err := errors.Join(os.WriteFile(path+".index", index.Bytes(), 0o600), os.WriteFile(path+ending, content, 0o600)); err != nil {
		tb.Fatal(err)
	}
	return path + ".index"
}

// pairs are the entries of one headword.
func pairs(head string, translations ...string) (all []pack.Entry) {
	for _, t := range translations {
		all = append(all, words(head, t))
	}
	return all
}

func TestADictionaryOfDictdIsRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		articles []string
		want     []pack.Entry
	}{
		"a word and what it means": {[]string{"seng /sˈɛŋ/\nbed\n"}, pairs("da:seng", "en:bed")},
		"the headline has the word as it is written": {
			[]string{"Bahnhof's tor /x/ <n, masc>\nstation\n", "and/or\nand, or\n"},
			append(pairs("da:Bahnhof's tor", "en:station"), pairs("da:and/or", "en:and", "en:or")...),
		},
		"several pronunciations": {[]string{"henry //ˈhɛn// //ˈhɪn// <n>\nhenry\n"}, pairs("da:henry", "en:henry")},
		"numbered senses": {
			[]string{"skade <n>\n1. damage, harm; injury\n2. magpie\n12. harm\n"},
			pairs("da:skade", "en:damage", "en:harm", "en:injury", "en:magpie"),
		},
		"a line for each translation":   {[]string{"løbe <v>\n   run\n   flow\n"}, pairs("da:løbe", "en:run", "en:flow")},
		"a list goes on below":          {[]string{"løbe\n1. run,\nflow\n2. leak\n"}, pairs("da:løbe", "en:run", "en:flow", "en:leak")},
		"notes in brackets are left":    {[]string{"gå\nwalk (on foot, slowly) away [of people; animals] {v}\n(obsolete)\n"}, pairs("da:gå", "en:walk away")},
		"a prefix or suffix is no word": {[]string{"hed /h/ <suffix>\nhood\n", "u <prefix>\nun\n", "ø <n>\nisland\n"}, pairs("da:ø", "en:island")},
		"what is explained is told from what is listed": {
			[]string{
				"henry /h/ <n>\nhenry\nSI-enheden for selvinduktion i en spole\n",
				"post <n>\n1. mail 2.\ndet som postvæsenet bringer ud hver dag\n 3.\nposthuset\n2. item\nett led\n",
				"tabe <v>\nlose\nikke vinde\n",
			},
			append(append(pairs("da:henry", "en:henry"), pairs("da:post", "en:mail", "en:item")...), pairs("da:tabe", "en:lose")...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, dictzip := range []bool{false, true} {
				path := dictd(t, "freedict-dan-eng", dictzip, tt.articles)
				for _, ending := range []string{".index", ".dict", ".dict.dz"} {
					named := strings.TrimSuffix(path, ".index") + ending // it may be any of the files, also one that is not there
					entries, info, report, err := scan(t, named, pack.Options{})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(tt.want, entries); diff != "" {
						t.Errorf("%s (-want +got):\n%s", ending, diff)
					}
					if info.Format != pack.Dictd || report.Bad > 0 || report.Lines != len(tt.articles) || len(info.SHA256) != 64 {
						t.Errorf("info %+v, report %+v", info, report)
					}
				}
			}
		})
	}
}

func TestAnArticleWithTwoHeadwordsCountsOnce(t *testing.T) {
	t.Parallel()
	path := dictd(t, "freedict-dan-eng", true, []string{"seng\nbed\n", "stol\nchair\n"})
	index, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(index), "\n")
	twice := strings.Replace(lines[1], "seng", "senge", 1)
	// The index is sorted by headword, not as the articles lie.
	if err := os.WriteFile(path, []byte(lines[2]+twice+lines[1]+lines[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, _, report, err := scan(t, path, pack.Options{})
	if err != nil || report.Bad > 0 {
		t.Fatal(report, err)
	}
	if diff := cmp.Diff(append(pairs("da:seng", "en:bed"), pairs("da:stol", "en:chair")...), entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// The checksum is that of the whole file, also of what no article is in.
func TestTheChecksumIsOfTheTextAsGiven(t *testing.T) {
	t.Parallel()
	path := dictd(t, "freedict-dan-eng", false, []string{"seng\nbed\n"})
	text := strings.TrimSuffix(path, ".index") + ".dict"
	b, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, strings.Repeat("what nobody asks for\n", 20_000)...)
	if err := os.WriteFile(text, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, info, _, err := scan(t, path, pack.Options{})
	if sum := sha256.Sum256(b); err != nil || info.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%s, %v; want %x", info.SHA256, err, sum)
	}
}

func TestLanguagesOfADictionaryComeFromItsNameOrByHand(t *testing.T) {
	t.Parallel()
	article := []string{"ord\nword\n"}
	for _, tt := range []struct {
		name  string
		langs []string
		want  []pack.Entry
	}{
		{"freedict-swe-eng", nil, pairs("sv:ord", "en:word")},
		{"freedict-fin-nor", nil, pairs("fi:ord", "nb:word")},
		{"freedict-nno-nob", nil, pairs("nn:ord", "nb:word")},
		{"mine", []string{"nl", "ger"}, pairs("nl:ord", "de:word")},
		{"freedict-swe-eng", []string{"da", "fr"}, pairs("da:ord", "fr:word")},
		{"mine", nil, nil},
		{"freedict-lat-eng", nil, nil},
		{"freedict-swe-eng", []string{"da"}, nil},
	} {
		entries, _, _, err := scan(t, dictd(t, tt.name, false, article), pack.Options{Langs: tt.langs})
		if diff := cmp.Diff(tt.want, entries); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", tt.name, tt.langs, diff)
		}
		if refused := errors.Is(err, fault.ErrInvalid) && strings.Contains(err.Error(), "--langs sv,en"); refused != (tt.want == nil) {
			t.Errorf("%s %v: %v", tt.name, tt.langs, err)
		}
	}
}

func TestADamagedDictionaryLosesOnlyWhatIsDamaged(t *testing.T) {
	t.Parallel()
	path := dictd(t, "freedict-dan-eng", true, []string{"seng\nbed\n", "stol\nchair\n", "bord\nta\xffble\n", "hus\nhouse\n", "ø\nisle\n", "å\nbrook\n"},
		"inside\tBA\tC", "beyond\tBAA\tC", "number\tA?\tC", "columns\tA")
	entries, _, report, err := scan(t, path, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []pack.Entry{words("da:seng", "en:bed"), words("da:stol", "en:chair"), words("da:hus", "en:house"), words("da:ø", "en:isle"), words("da:å", "en:brook")}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	got := map[int]string{}
	for _, f := range report.Faults {
		got[f.Line] = f.Text
	}
	for line, what := range map[int]string{4: "not UTF-8", 8: "lies in another one", 9: "lies beyond the end of", 10: "no offset and size", 11: "want headword, offset and size"} {
		if !strings.Contains(got[line], what) {
			t.Errorf("line %d: %q, want %q", line, got[line], what)
		}
	}

	lost := dictd(t, "freedict-dan-eng", false, []string{"seng\nbed\n"})
	if err := os.Remove(strings.TrimSuffix(lost, ".index") + ".dict"); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := scan(t, lost, pack.Options{}); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "freedict-dan-eng.dict is missing") {
		t.Errorf("without its text: %v", err)
	}
}
