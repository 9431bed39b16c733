package score

// labelLanguages are the languages of the columns below.
var labelLanguages = [6]string{"da", "nb", "sv", "fi", "nl", "en"}

// factNames names the facts.
var factNames = map[string][6]string{
	partCooperation: {
		"Samarbejde, søgt og tilbudt", "Samarbeid, søkt og tilbudt", "Samarbete, sökt och erbjudet",
		"Yhteistyö, haettu ja tarjottu", "Samenwerking, gevraagd en aangeboden", "Cooperation, asked and offered",
	},
	partOrganisation: {
		"Ønsket type organisation", "Ønsket type organisasjon", "Önskad typ av organisation",
		"Toivottu organisaatiotyyppi", "Gewenst type organisatie", "Wanted type of organisation",
	},
	partTRL: {
		"Modenheden (TRL) passer", "Modenheten (TRL) passer", "Mognadsgraden (TRL) passar",
		"Kypsyystaso (TRL) sopii", "De technologische rijpheid (TRL) past", "The maturity (TRL) fits",
	},
	"region":  {"Samme region", "Samme region", "Samma region", "Sama alue", "Dezelfde regio", "Same region"},
	"country": {"Samme land", "Samme land", "Samma land", "Sama maa", "Hetzelfde land", "Same country"},
}

// valueNames names what cooperation and organisation facts are about.
var valueNames = map[string][6]string{
	"research_cooperation": {
		"forskningssamarbejde", "forskningssamarbeid", "forskningssamarbete",
		"tutkimusyhteistyö", "onderzoekssamenwerking", "research cooperation",
	},
	"test_with_end_users": {
		"test med slutbrugere", "test med sluttbrukere", "test med slutanvändare",
		"testaus loppukäyttäjillä", "test met eindgebruikers", "test with end users",
	},
	"clinical_study": {
		"klinisk studie", "klinisk studie", "klinisk studie", "kliininen tutkimus", "klinische studie", "clinical study",
	},
	"data_access": {
		"adgang til data", "tilgang til data", "tillgång till data", "pääsy tietoaineistoihin", "toegang tot data", "access to data",
	},
	"testing_service": {
		"testydelse", "testtjeneste", "testtjänst", "testauspalvelu", "testdienst", "testing service",
	},
	"licence":    {"licens", "lisens", "licens", "lisenssi", "licentie", "licence"},
	"commercial": {"kommercielt samarbejde", "kommersielt samarbeid", "kommersiellt samarbete", "kaupallinen yhteistyö", "commerciële samenwerking", "commercial cooperation"},
	"supplier":   {"leverandør", "leverandør", "leverantör", "toimittaja", "leverancier", "supplier"},
	"market_entry": {
		"adgang til marked", "markedsadgang", "marknadsinträde", "markkinoille pääsy", "markttoegang", "market entry",
	},
	"consortium": {"konsortium", "konsortium", "konsortium", "konsortio", "consortium", "consortium"},
	"investment": {"investering", "investering", "investering", "sijoitus", "investering", "investment"},

	"sme": {
		"lille eller mellemstor virksomhed", "liten eller mellomstor bedrift", "litet eller medelstort företag",
		"pk-yritys", "klein of middelgroot bedrijf", "small or medium-sized company",
	},
	"startup":             {"startup", "oppstartsbedrift", "startup", "startup-yritys", "start-up", "start-up"},
	"large_company":       {"stor virksomhed", "stort selskap", "storföretag", "suuryritys", "groot bedrijf", "large company"},
	"university":          {"universitet", "universitet", "universitet", "yliopisto", "universiteit", "university"},
	"university_hospital": {"universitetshospital", "universitetssykehus", "universitetssjukhus", "yliopistosairaala", "academisch ziekenhuis", "university hospital"},
	"rto": {
		"teknologisk institut", "forskningsinstitutt", "forskningsinstitut",
		"tutkimuslaitos", "onderzoeksinstituut", "research and technology organisation",
	},
	"region":       {"region", "region", "region", "alue", "regio", "region"},
	"municipality": {"kommune", "kommune", "kommun", "kunta", "gemeente", "municipality"},
	"association":  {"forening", "forening", "förening", "yhdistys", "vereniging", "association"},
	"cluster":      {"klynge", "klynge", "kluster", "klusteri", "cluster", "cluster"},
	"other":        {"anden organisation", "annen organisasjon", "annan organisation", "muu organisaatio", "andere organisatie", "other organisation"},
}
