package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"kobling/internal/analysis"
	"kobling/internal/testkit"
)

// stemsOf returns the stems of a word of a language.
func stemsOf(a *analysis.Analyzer, lang, word string) []string {
	return terms(a, "s:", text(lang, word)...)
}

// Each line is one word in its forms. All must have the same stem, so that a
// text finds the label in whatever form it uses.
func TestTheFormsOfAWordMeet(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[none]\nen: nothing here\n")
	for lang, lines := range map[string]string{
		"da": `
			hjemmepleje hjemmeplejen hjemmeplejens
			sygeplejerske sygeplejersker sygeplejerskerne
			plads pladser pladsen pladserne
			frekvens frekvenser frekvensen
			sensor sensorer sensoren sensorerne`,
		"nb": `
			hjemmetjeneste hjemmetjenesten hjemmetjenester
			pleie pleien pleiens
			sykehus sykehuset sykehusene sykehusets
			kurs kursene kurset
			kvalitet kvaliteten kvaliteter
			demens demensen
			sensor sensorer sensoren sensorene`,
		"nn": `
			heimeteneste heimetenester
			pleie pleia
			sjukehus sjukehuset
			sensor sensorar sensoren sensorane`,
		"sv": `
			hemtjänst hemtjänsten hemtjänstens hemtjänster
			plats platsen platser platserna
			analys analysen analyser analyserna
			kompetens kompetensen kompetenser
			sensor sensorn sensorer sensorerna
			dator datorn datorer datorerna
			detektor detektorer
			monitor monitorn monitorer
			kvinna kvinnor kvinnorna`,
		"fi": `
			kotihoito kotihoidon kotihoitoa kotihoitoon kotihoidossa kotihoitojen
			verkko verkon verkkoja verkossa
			ranta rannan rantoja
			kliininen kliinisen kliinistä kliiniset kliinisiä kliinisten kliinisissä
			lääkinnällinen lääkinnällisen lääkinnällistä lääkinnällisten
			digitaalinen digitaalisen digitaalista digitaalisia
			tutkimus tutkimuksen tutkimusta tutkimuksia tutkimusten tutkimuksessa
			kuntoutus kuntoutuksen kuntoutusta
			mittaus mittauksen mittausta mittauksia
			terveys terveyden terveyttä terveydessä
			sairaus sairauden sairautta sairauksia sairauksien
			turvallisuus turvallisuuden turvallisuutta
			puhelin puhelimen puhelimia puhelimella
			tunnistin tunnistimen tunnistimia
			eläin eläimen eläimiä eläinten
			potilas potilaan potilaita potilaiden
			asiakas asiakkaan asiakkaita asiakkaiden
			laite laitteen laitteita laitteiden
			leipä leivän leipiä
			anturi anturin antureita`,
		"nl": `
			ziekenhuis ziekenhuizen
			brief brieven
			sensor sensoren
			reis reizen
			thuisverpleging thuisverplegingen`,
		"en": `
			sensor sensors
			study studies
			patient patients patient's`,
		"de": `
			Sensor Sensoren
			Krankenhaus Krankenhauses
			Klinik Kliniken`,
		"fr": `
			capteur capteurs
			hôpital hôpitaux`,
	} {
		for line := range strings.Lines(lines) {
			forms := strings.Fields(line)
			for _, form := range forms {
				if got, want := stemsOf(a, lang, form), stemsOf(a, lang, forms[0]); len(want) != 1 || !slices.Equal(got, want) {
					t.Errorf("%s %s has the stem %v, but %s has %v", lang, form, got, forms[0], want)
				}
			}
		}
	}
}

// What is repaired must not swallow other words.
func TestOtherWordsKeepApart(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[none]\nen: nothing here\n")
	for lang, lines := range map[string]string{
		"da": "plads plante; sensor sensation",
		"nb": "pleie plage; patentet patient",
		"sv": "dator data; monitor monitum; sensor sensation; resor ras",
		"fi": "toimi tori; anturi antaja; laite laiva; hoito hoiva; palvelusta palkasta",
		"nl": "huis huid; brief brij",
		"en": "sensor sense; patent patient",
	} {
		for pair := range strings.SplitSeq(lines, ";") {
			words := strings.Fields(pair)
			if x, y := stemsOf(a, lang, words[0]), stemsOf(a, lang, words[1]); slices.Equal(x, y) {
				t.Errorf("%s %s and %s have the same stem %v", lang, words[0], words[1], x)
			}
		}
	}
}

// Texts of neighbouring languages also meet in words that no label has.
func TestNordicCognatesMeet(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[none]\nen: nothing here\n")
	for line := range strings.Lines(`da:forgasningen nb:forgasning sv:förgasningen
		da:fjernvarme nb:fjernvarmen
		da:energi nb:energien sv:energi
		da:vandrer nb:vandrer sv:vandrar
		da:økonomien nb:økonomi nn:økonomi
		da:fiskeriet nb:fiskeri
		da:kvalitet nb:kvaliteten sv:kvalitet
		da:bølge nb:bølge
		da:kollektiv nb:kollektiv sv:kollektiv
		da:biopsi sv:biopsi en:biopsy`) {
		words := strings.Fields(line)
		lang, first, _ := strings.Cut(words[0], ":")
		want := stemsOf(a, lang, first)
		for _, w := range words[1:] {
			lang, word, _ := strings.Cut(w, ":")
			if got := stemsOf(a, lang, word); len(got) != 1 || !slices.Equal(got, want) {
				t.Errorf("%s and %s have the stems %v and %v", words[0], w, want, got)
			}
		}
	}
}

// Before any corpus is known a word says the more the longer it is, and a word of
// two letters nothing.
func TestTheWorthOfAWordGrowsWithItsLength(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[none]\nen: nothing here\n")
	var got []uint64
	for _, word := range []string{"ba", "bab", "babo", "baboru", "baborutu"} {
		weight := uint64(0)
		for _, w := range a.Weights(a.Features(text("", word))).Heaviest() {
			if strings.HasPrefix(w.Term, "s:") {
				weight = w.Weight
			}
		}
		got = append(got, weight)
	}
	if got[0] != 0 || got[1] == 0 || !slices.IsSorted(got) || len(slices.Compact(got)) != 5 {
		t.Errorf("weights by length: %v", got)
	}
}
