package mail

import (
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// phrases is everything a letter says in one language.
type phrases struct {
	Hello, Intro, Why, Next, Footer, Anonymous string // Footer takes the cluster
	Again, Also, Before                        string // of a near-duplicate; Also takes the title of the other posting
	Bands                                      map[suggestion.Band]string
	Kinds                                      map[profile.Kind]string
	Types                                      map[profile.OrganisationType]string
}

// phrasesFor returns the phrases of lang, and lang itself; English when there
// are none.
func phrasesFor(lang string) (string, phrases) {
	if lang == "nn" || lang == "no" {
		lang = "nb"
	}
	if p, ok := languages[lang]; ok {
		return lang, p
	}
	return "en", languages["en"]
}

func kinds(need, offer, public, place string) map[profile.Kind]string {
	return map[profile.Kind]string{profile.Need: need, profile.Offer: offer, profile.PublicNeed: public, profile.TestPlace: place}
}

func bands(strong, possible string) map[suggestion.Band]string {
	return map[suggestion.Band]string{suggestion.Strong: strong, suggestion.Possible: possible}
}

// types takes the names in the order in which package profile lists the types.
func types(names ...string) map[profile.OrganisationType]string {
	order := []profile.OrganisationType{
		profile.SME, profile.Startup, profile.LargeCompany, profile.University, profile.UniversityHospital, profile.RTO,
		profile.Region, profile.Municipality, profile.Association, profile.ClusterOrg,
	}
	m := make(map[profile.OrganisationType]string, len(order))
	for i, t := range order {
		m[t] = names[i]
	}
	return m
}

var languages = map[string]phrases{
	"en": {
		Hello: "Hello", Intro: "There is a new suggested collaboration for you to look at.",
		Why: "Why the two may fit:", Next: "A suggestion is not an introduction: neither side has been told. See all of it with:",
		Footer: "You receive this because you subscribe to suggestions of the cluster %s.", Anonymous: "Anonymous",
		Again: "Also posted", Also: "Also posted as “%s”: the same organisation says the same in both.",
		Before: "This suggestion was told before:",
		Bands:  bands("Strong match", "Possible match"), Kinds: kinds("Need", "Offer", "Public need", "Test place"),
		Types: types("small or medium-sized company", "start-up", "large company", "university", "university hospital", "research institute", "region", "municipality", "association", "cluster"),
	},
	"da": {
		Hello: "Hej", Intro: "Der er et nyt forslag til samarbejde, som du kan se på.",
		Why: "Derfor kan de to passe sammen:", Next: "Et forslag er ikke en introduktion: ingen af parterne har fået besked. Se det hele med:",
		Footer: "Du får denne mail, fordi du abonnerer på forslag fra klyngen %s.", Anonymous: "Anonym",
		Again: "Også slået op", Also: "Også slået op som »%s«: den samme organisation siger det samme i begge.",
		Before: "Dette forslag har du fået før:",
		Bands:  bands("Stærkt match", "Muligt match"), Kinds: kinds("Behov", "Tilbud", "Offentligt behov", "Teststed"),
		Types: types("lille eller mellemstor virksomhed", "startup", "stor virksomhed", "universitet", "universitetshospital", "forskningsinstitut", "region", "kommune", "forening", "klynge"),
	},
	"nb": {
		Hello: "Hei", Intro: "Det er et nytt forslag til samarbeid som du kan se på.",
		Why: "Derfor kan de to passe sammen:", Next: "Et forslag er ikke en introduksjon: ingen av partene har fått beskjed. Se alt med:",
		Footer: "Du får denne e-posten fordi du abonnerer på forslag fra klyngen %s.", Anonymous: "Anonym",
		Again: "Også lagt ut", Also: "Også lagt ut som «%s»: den samme organisasjonen sier det samme i begge.",
		Before: "Dette forslaget har du fått før:",
		Bands:  bands("Sterk match", "Mulig match"), Kinds: kinds("Behov", "Tilbud", "Offentlig behov", "Teststed"),
		Types: types("liten eller mellomstor bedrift", "oppstartsbedrift", "stor bedrift", "universitet", "universitetssykehus", "forskningsinstitutt", "region", "kommune", "forening", "klynge"),
	},
	"sv": {
		Hello: "Hej", Intro: "Det finns ett nytt förslag till samarbete att titta på.",
		Why: "Därför kan de två passa ihop:", Next: "Ett förslag är ingen introduktion: ingen av parterna har fått veta något. Se allt med:",
		Footer: "Du får det här mejlet eftersom du prenumererar på förslag från klustret %s.", Anonymous: "Anonym",
		Again: "Även publicerat", Also: "Även publicerat som ”%s”: samma organisation säger samma sak i båda.",
		Before: "Det här förslaget har du fått tidigare:",
		Bands:  bands("Stark matchning", "Möjlig matchning"), Kinds: kinds("Behov", "Erbjudande", "Offentligt behov", "Testplats"),
		Types: types("litet eller medelstort företag", "startup", "stort företag", "universitet", "universitetssjukhus", "forskningsinstitut", "region", "kommun", "förening", "kluster"),
	},
	"fi": {
		Hello: "Hei", Intro: "Sinulle on uusi yhteistyöehdotus katsottavaksi.",
		Why: "Miksi nämä kaksi voivat sopia yhteen:", Next: "Ehdotus ei ole esittely: kummallekaan osapuolelle ei ole kerrottu. Katso koko ehdotus komennolla:",
		Footer: "Saat tämän viestin, koska olet tilannut klusterin %s ehdotukset.", Anonymous: "Nimetön",
		Again: "Julkaistu myös", Also: "Julkaistu myös otsikolla ”%s”: sama organisaatio kertoo molemmissa samasta asiasta.",
		Before: "Tästä ehdotuksesta on kerrottu aiemmin:",
		Bands:  bands("Vahva osuma", "Mahdollinen osuma"), Kinds: kinds("Tarve", "Tarjous", "Julkinen tarve", "Testipaikka"),
		Types: types("pieni tai keskisuuri yritys", "startup-yritys", "suuryritys", "yliopisto", "yliopistosairaala", "tutkimuslaitos", "alue", "kunta", "yhdistys", "klusteri"),
	},
	"nl": {
		Hello: "Hallo", Intro: "Er is een nieuw voorstel voor samenwerking om naar te kijken.",
		Why: "Waarom de twee bij elkaar kunnen passen:", Next: "Een voorstel is geen introductie: geen van beide partijen weet er al van. Bekijk alles met:",
		Footer: "U ontvangt dit bericht omdat u geabonneerd bent op voorstellen van het cluster %s.", Anonymous: "Anoniem",
		Again: "Ook geplaatst", Also: "Ook geplaatst als ‘%s’: dezelfde organisatie zegt in beide hetzelfde.",
		Before: "Dit voorstel hebt u al gekregen:",
		Bands:  bands("Sterke match", "Mogelijke match"), Kinds: kinds("Behoefte", "Aanbod", "Publieke behoefte", "Testplek"),
		Types: types("klein of middelgroot bedrijf", "start-up", "groot bedrijf", "universiteit", "universitair ziekenhuis", "onderzoeksinstituut", "regio", "gemeente", "vereniging", "cluster"),
	},
}
