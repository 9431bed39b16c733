package mail_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/profile"
)

// alsoPosted is a notification whose demand was told before in other words.
func alsoPosted(lang string) alert.Notification {
	n := notification(lang)
	n.AlsoPostedAs = &alert.Twin{
		Notification: uuid.MustParse("019480f0-0000-7000-8000-000000000002"),
		Profile: &profile.Profile{
			ID: "need.vaktsom.dispenser-en", Organisation: n.Demand.Organisation,
			Texts: []profile.Text{{Lang: "en", Title: "Medicine dispenser for the <home>"}},
		},
	}
	return n
}

func TestAShortLetterInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"da", "nb", "sv", "fi", "nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			header, bodies, got := letter(t, alsoPosted(lang))
			checkGolden(t, "also."+lang, got)
			if strings.Contains(got, "hjemmetjenesten") {
				t.Error("a short letter says everything again")
			}
			if strings.Contains(bodies["text/html"], "<home>") {
				t.Error("a profile's text is not escaped")
			}
			for _, field := range []string{"In-Reply-To", "References"} {
				if id := header.Get(field); id != "<019480f0-0000-7000-8000-000000000002@example.org>" {
					t.Errorf("%s = %q, want the Message-ID of what was told", field, id)
				}
			}
		})
	}
}

// The pair that was told has the other posting on the side that was posted twice.
func TestAShortLetterNamesThePairThatWasTold(t *testing.T) {
	t.Parallel()
	_, demand, _ := letter(t, alsoPosted("en"))
	n := alsoPosted("en")
	n.AlsoPostedAs.Profile.ID = "test_place.oulu.other"
	_, supply, _ := letter(t, n)
	for body, want := range map[string]string{
		demand["text/plain"]: "Medicine dispenser for the <home> <-> Testikoti ja kotihoidon tiimi",
		supply["text/plain"]: "Medisindispenser til hjemmet <-> Medicine dispenser for the <home>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("want %q in\n%s", want, body)
		}
	}
}

func TestAFullLetterAnswersNothing(t *testing.T) {
	t.Parallel()
	header, _, _ := letter(t, notification("en"))
	if header.Get("In-Reply-To") != "" || header.Get("References") != "" {
		t.Errorf("header = %v", header)
	}
}
