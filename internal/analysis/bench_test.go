package analysis_test

import (
	"testing"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
	"kobling/internal/profile"
)

// longer are profiles of some 190 words, as people write them.
var longer = []profile.Text{
	{
		Lang:    "nb",
		Title:   "Testmiljø for radarbasert fallsensor i sykehjem og hos hjemmeboende eldre",
		Summary: "Vi har utviklet en fallsensor uten kamera og søker et sykehjem eller en kommune som vil prøve den ut sammen med oss.",
		Description: "Sensoren bruker radar og kunstig intelligens til å oppdage fall, uro om natten og endringer i gangmønsteret. Den henger i taket, " +
			"trenger ingen knapp eller klokke og tar ikke bilder, slik at personvernet er ivaretatt. Varslene går til hjemmetjenestens mobiltelefoner eller til " +
			"et eksisterende pasientvarslingsanlegg. I en første utprøving med tolv beboere fant vi ni av ti fall, men også for mange falske alarmer når " +
			"husdyr eller robotstøvsugere beveget seg i rommet. Nå ønsker vi å måle hvor nøyaktig løsningen er i vanlig drift over minst seks måneder, hva den " +
			"betyr for ansattes arbeidsdag og nattevakter, og om pårørende opplever større trygghet. Datagrunnlaget skal kunne brukes i en klinisk evaluering " +
			"etter MDR og i en helseøkonomisk analyse.",
		Requirements: "Minst tretti rom eller boliger, en kontaktperson blant sykepleierne, strømuttak i taket og tilgang til hendelsesjournalen i anonymisert form. " +
			"Erfaring med samtykke fra personer med demens er en fordel.",
		PartnerRole: "Partneren rekrutterer deltakere, installerer sensorene sammen med oss, følger opp varsler i daglig drift og deltar i sluttrapporten.",
	},
	{
		Lang:    "fi",
		Title:   "Kotihoidon testiympäristö etähoivan ja hyvinvointiteknologian ratkaisuille",
		Summary: "Testaamme kaatumisen tunnistusta, lääkeannostelijoita ja turvapuhelimia ikääntyneiden kanssa heidän omissa kodeissaan.",
		Description: "Testiympäristössämme on kuusikymmentä kotihoidon asiakasta, neljä palvelutaloa ja mallikoti, jossa laitteita voidaan kokeilla ennen " +
			"kenttäkoetta. Arvioimme ratkaisujen käytettävyyttä, luotettavuutta ja vaikutuksia hoitajien työhön sekä asiakkaiden turvallisuuden tunteeseen. " +
			"Mukana on sairaanhoitajia, fysioterapeutteja ja terveystieteiden tutkijoita, jotka laativat koeasetelman, keräävät mittaustulokset ja raportoivat ne " +
			"lääkinnällisten laitteiden asetuksen edellyttämällä tavalla. Autamme myös eettisen ennakkoarvioinnin hakemuksessa ja tietosuojan vaikutustenarvioinnissa. " +
			"Aiemmissa kokeiluissa olemme verranneet tutkiin perustuvia antureita, rannekkeita ja älylattiaa, ja tuloksista on julkaistu kolme vertaisarvioitua " +
			"artikkelia. Kokeilu kestää tavallisesti kolmesta kuuteen kuukautta. Tulokset voidaan siirtää potilastietojärjestelmään FHIR-rajapinnan kautta.",
		Requirements: "Laitteella tulee olla CE-merkintä tai riskianalyysi, ja yritys vastaa laitteiden asennuksesta, huollosta ja käyttäjien koulutuksesta.",
		PartnerRole:  "Yritys tuo laitteet ja nimeää yhteyshenkilön; me kutsumme osallistujat ja johdamme kokeen.",
	},
}

// unstated are longer without languages.
func unstated() [][]profile.Text {
	var list [][]profile.Text
	for _, t := range longer {
		t.Lang = ""
		list = append(list, []profile.Text{t})
	}
	return list
}

// sides analyses a profile as an epoch does, for either side in turn.
func sides(a *analysis.Analyzer, texts []profile.Text, n int) {
	w := a.Weights(a.Features(texts))
	w.Heaviest()
	if n%2 == 0 {
		w.Demand()
	} else {
		w.Supply()
	}
}

// BenchmarkSides analyses profiles on one core: warm, when their words are known;
// cold, when none is; of languages that must be told; and in three languages each.
func BenchmarkSides(b *testing.B) {
	var stated [][]profile.Text
	for i := range longer {
		stated = append(stated, longer[i:i+1])
	}
	run := func(name string, profiles [][]profile.Text, cold bool) {
		b.Run(name, func(b *testing.B) {
			a := analyzer()
			for n, texts := range profiles {
				sides(a, texts, n)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if cold {
					var err error
					if a, err = a.With(); err != nil {
						b.Fatal(err)
					}
				}
				sides(a, profiles[n%len(profiles)], n/len(profiles))
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "profiles/s")
		})
	}
	run("warm", stated, false)
	run("cold", stated, true)
	run("unstated", unstated(), false)
	run("translated", [][]profile.Text{longer}, false)
}

// BenchmarkNew builds the analyzer of the default lexicon, as every start does.
func BenchmarkNew(b *testing.B) {
	l, err := lexicon.Default()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := analysis.New(l); err != nil {
			b.Fatal(err)
		}
	}
}
