package crm

import (
	"strings"
	"unicode"
)

// Unmapped is the channel of a touch whose source and medium nobody has named yet: it is counted, listed and never guessed.
const Unmapped = "unmapped"

// standardAliases map the spellings that are met everywhere to the standard list of channels (the options of touch.channel).
// A key is a folded medium, a folded source, or both as "source/medium". The workspace's channel_alias records come before them.
var standardAliases = map[string]string{
	"direct": "direct", "none": "direct", "direct/none": "direct",
	"organic": "organic_search", "organicsearch": "organic_search", "seo": "organic_search", "search": "organic_search",
	"cpc": "paid_search", "ppc": "paid_search", "paidsearch": "paid_search", "sem": "paid_search", "adwords": "paid_search", "googleads": "paid_search",
	"facebook/cpc": "paid_social", "linkedin/cpc": "paid_social", "instagram/cpc": "paid_social", "meta/cpc": "paid_social",
	"paidsocial": "paid_social", "social/paid": "paid_social", "cpm": "display", "banner": "display", "display": "display", "retargeting": "display",
	"social": "organic_social", "socialmedia": "organic_social", "organicsocial": "organic_social", "socialnetwork": "organic_social",
	"facebook": "organic_social", "linkedin": "organic_social", "instagram": "organic_social", "twitter": "organic_social", "x": "organic_social",
	"email": "email", "mail": "email", "newsletter": "email", "nl": "email",
	"referral": "referral", "reference": "referral", "wordofmouth": "referral", "link": "referral",
	"affiliate": "affiliate", "affiliates": "affiliate", "partner": "partner", "partners": "partner", "reseller": "partner",
	"video": "video", "youtube": "video", "event": "event", "events": "event", "tradeshow": "event", "fair": "event", "webinar": "event",
	"outbound": "outbound", "coldcall": "outbound", "sdr": "outbound", "phone": "outbound",
	"content": "content", "blog": "content", "whitepaper": "content", "sms": "message", "whatsapp": "message", "chat": "message", "livechat": "message",
}

// searchHosts are the referrers whose visits without other marks are organic search.
var searchHosts = []string{"google.", "bing.", "duckduckgo.", "ecosia.", "yahoo.", "baidu.", "yandex."}

// FoldChannel gives what a spelling is compared by: its letters and digits in lower case. "Paid-Search " and "paid_search" are one.
func FoldChannel(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// ChannelOf names the standard channel of a visit. aliases are the workspace's own, by folded text; they come before the standard
// ones, and a pair before a medium before a source. Without source and medium the referrer decides: a search engine is
// organic search, another site a referral, none direct. What nothing names is Unmapped.
func ChannelOf(source, medium, referrer string, aliases map[string]string) string {
	s, m := FoldChannel(source), FoldChannel(medium)
	if s == "" && m == "" {
		return channelOfReferrer(referrer)
	}
	for _, table := range []map[string]string{aliases, standardAliases} {
		for _, key := range []string{s + "/" + m, m, s} {
			if channel := table[key]; channel != "" && key != "" {
				return channel
			}
		}
	}
	return Unmapped
}

func channelOfReferrer(referrer string) string {
	host := hostOf(referrer)
	if host == "" {
		return "direct"
	}
	for _, engine := range searchHosts {
		if strings.HasPrefix(host, engine) || strings.Contains(host, "."+engine) {
			return "organic_search"
		}
	}
	return "referral"
}

func hostOf(address string) string {
	_, rest, ok := strings.Cut(strings.ToLower(address), "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}
